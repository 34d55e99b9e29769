import type { LinkSettings, World } from '../../src/sim/index.ts';
import { CLIENT_HOST, SERVER_HOST } from '../../src/sim/pair.ts';
import type { Plan, Weather } from './plan.ts';

const ROUTES = { up: [CLIENT_HOST, SERVER_HOST], down: [SERVER_HOST, CLIENT_HOST] } as const;
const routes = (way: Weather['way']) => (way === 'both' ? [ROUTES.up, ROUTES.down] : [ROUTES[way]]);
const FIRST_PORT = 10_000;

/** Lets the plan's weather come and go. What is under way at the same time adds up; of two that set the same thing the later one counts. */
export function letWeather(plan: Plan, world: World): void {
  const current = new Set<Weather>();
  const apply = () => {
    for (const way of ['up', 'down'] as const) {
      const [from, to] = ROUTES[way];
      const here = [...current].filter((weather) => weather.way === way || weather.way === 'both');
      world.network.link(from, to).change(here.reduce(combine, { copies: 1, ...plan[way] }));
    }
  };
  const { now } = world;
  for (const weather of plan.weather) {
    world.clock.book(now + weather.at, () => {
      current.add(weather);
      apply();
      begin(weather, world);
    });
    world.clock.book(now + weather.at + weather.lasts, () => {
      current.delete(weather);
      apply();
    });
  }
}

function combine(settings: Partial<LinkSettings>, { settings: own, rateTimes }: Weather): Partial<LinkSettings> {
  const rate = settings.rate ?? Number.POSITIVE_INFINITY;
  return { ...settings, ...own, ...(rateTimes !== undefined && { rate: rate * rateTimes }) };
}

function begin({ way, lasts, holds, rebindEvery }: Weather, world: World): void {
  const { network, clock } = world;
  const end = world.now + lasts;
  if (holds === true) for (const [from, to] of routes(way)) network.link(from, to).hold(end);
  if (rebindEvery === undefined) return;
  let port = FIRST_PORT;
  const rebind = () => {
    const socket = network.socketOf(CLIENT_HOST);
    if (socket !== undefined) network.rebind(socket, CLIENT_HOST, port++);
    if (world.now + rebindEvery < end) clock.book(world.now + rebindEvery, rebind);
  };
  rebind();
}
