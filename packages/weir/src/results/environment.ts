import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';

/** The machine and programs that a result was made with. */
export interface Environment {
  readonly node: string;
  readonly openssl: string;
  readonly os: string;
  readonly arch: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Which implementation of the UDP socket carried it. */
  readonly datapath: string;
}

/** This machine. @param datapath the name of the one in use. */
export function describeEnvironment(datapath: string): Environment {
  return {
    node: process.versions.node,
    openssl: process.versions.openssl,
    os: `${platform()} ${release()}`,
    arch: arch(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    datapath,
  };
}
