/** What a chart is drawn as: nothing where there is nothing to draw. */
export type Drawing = readonly Element[];

interface Mounted {
  readonly chart: HTMLElement;
  readonly draw: (width: number) => Drawing;
  width: number;
}

/** The figures of the page, each drawn anew when its width changes: text keeps its size, whatever the width. */
export class Figures {
  readonly #mounted = new Map<Element, Mounted>();
  readonly #observer = new ResizeObserver((entries) => {
    for (const { target } of entries) this.#drawAtItsWidth(this.#mounted.get(target)!);
  });

  /** Shows a chart in the figure of this id, in place of an earlier one. Hides the figure when there is nothing to draw. */
  mount(id: string, draw: (width: number) => Drawing): void {
    const figure = document.getElementById(id);
    const chart = figure?.querySelector<HTMLElement>('.chart');
    if (figure == null || chart == null) return;
    figure.hidden = false;
    const mounted = { chart, draw, width: 0 };
    this.#mounted.set(chart, mounted);
    this.#observer.observe(chart);
    figure.hidden = !this.#drawAtItsWidth(mounted);
  }

  #drawAtItsWidth(mounted: Mounted): boolean {
    const width = Math.floor(mounted.chart.clientWidth);
    if (width === 0 || width === mounted.width) return true;
    mounted.width = width;
    const drawing = mounted.draw(width);
    mounted.chart.replaceChildren(...drawing);
    return drawing.length > 0;
  }
}

/** An entry of a legend: a mark and what it stands for, with a value where there is one. */
export interface LegendEntry {
  readonly color: string;
  readonly label: string;
  readonly value?: string;
  readonly title?: string;
  /** An SVG path around the origin, within 5 units, in place of a square. */
  readonly path?: string;
}

/** A legend as a list, which wraps where the page is narrow. */
export function legend(entries: readonly LegendEntry[]): HTMLElement {
  const list = document.createElement('ul');
  list.className = 'legend';
  for (const { color, label, value, title, path } of entries) {
    const item = document.createElement('li');
    if (title !== undefined) item.title = title;
    const text = document.createElement('span');
    text.textContent = label;
    item.append(swatch(color, path), text);
    if (value !== undefined) {
      const amount = document.createElement('b');
      amount.textContent = value;
      item.append(amount);
    }
    list.append(item);
  }
  return list;
}

const SVG = 'http://www.w3.org/2000/svg';

function swatch(color: string, path = 'M-5,-5h10v10h-10z'): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '-6 -6 12 12');
  svg.setAttribute('aria-hidden', 'true');
  const mark = document.createElementNS(SVG, 'path');
  mark.setAttribute('d', path);
  mark.style.fill = color;
  svg.append(mark);
  return svg;
}

/** A heading above one of several drawings of a figure. */
export function subtitle(text: string): HTMLElement {
  const heading = document.createElement('h4');
  heading.textContent = text;
  return heading;
}

/** A paragraph within a figure. */
export function note(text: string): HTMLElement {
  const paragraph = document.createElement('p');
  paragraph.className = 'note';
  paragraph.textContent = text;
  return paragraph;
}

/** Names a drawing for those who hear it. */
export function named<T extends Element>(element: T, label: string): T {
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  return element;
}
