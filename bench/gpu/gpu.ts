/** The suite for GPUs, for Node and for pages: what it finds, what it runs, and the rows. */
import { type DeviceMode, device } from 'tenfold';
import type { Row } from '../row.js';
import { kernelCases, type Setting } from './cases.js';
import { type Group, groups } from './groups.js';
import { jaxWebgpu } from './jax.js';
import type { GpuLibrary } from './library.js';
import { networkCases } from './networks.js';
import { ownCpu, ownGpu } from './tenfold.js';
import { tfjsWebgl, tfjsWebgpu } from './tfjs.js';
import { type GpuEffort, hardwareEffort, lookEffort, measureAll, softwareEffort } from './timing.js';
import { copies, deviceOfGpuJs, nameOf, requestAdapter } from './webgpu.js';

export interface GpuOptions {
  /** How the GPU is reached; null for the best that works. */
  readonly mode: DeviceMode | null;
  /** A look whether everything runs. */
  readonly quick: boolean;
  /** The parts to run; all if none is named. */
  readonly only?: readonly Group[];
  /** Seconds for everything, instead of what the adapter suggests. */
  readonly budget?: number;
}

/** What differs between Node and a page. */
export interface Host {
  /** Its name and version. */
  readonly runtime: string;
  /** Why the platform has no WebGL for tfjs; null where it has. */
  readonly noWebgl: string | null;
}

/** A row, and what it was measured on. */
interface GpuRow extends Row {
  readonly mode: string;
  readonly adapter: string;
  readonly runtime: string;
}

export interface GpuOutcome {
  readonly rows: readonly GpuRow[];
  readonly adapter: string;
  readonly mode: string;
  /** Whether anything that should have worked did not. */
  readonly failed: boolean;
}

/** Names of adapters that are programs for a processor. */
const software = /swiftshader|llvmpipe|lavapipe|softpipe|webassembly/i;

interface Opened {
  readonly mode: string;
  readonly adapter: string;
  readonly cannot: string | null;
}

/** Opens this library's device; why not, where it cannot. */
const open = async (mode: DeviceMode | null): Promise<Opened> => {
  try {
    const info = await device('gpu', mode === null ? {} : { mode });
    if (info.device === 'gpu') return { mode: info.mode, adapter: info.adapter, cannot: null };
    const reasons = info.refused.map(each => `${each.mode}: ${each.reason}`).join('; ');
    return { mode: 'none', adapter: info.adapter, cannot: `no GPU here: ${reasons}` };
  } catch (error) {
    const cannot = error instanceof Error ? error.message : String(error);
    return { mode: mode ?? 'none', adapter: 'none', cannot };
  }
};

const librariesFor = (mode: string, adapter: string | null, host: Host): readonly GpuLibrary[] => {
  const noWebgpu = adapter === null ? 'there is no WebGPU adapter here' : null;
  const webgl = tfjsWebgl(host.noWebgl);
  // Beside WebGL stands what uses WebGL.
  return mode === 'webgl2' || mode === 'headlessgl' ? [webgl] : [tfjsWebgpu(noWebgpu), webgl, jaxWebgpu(noWebgpu)];
};

const effortFor = (small: boolean, { quick, budget }: GpuOptions): GpuEffort => {
  const effort = quick ? lookEffort : small ? softwareEffort : hardwareEffort;
  return budget === undefined ? effort : { ...effort, budget };
};

/** Runs it. `say` gets what should be read at once. */
export const runGpu = async (
  options: GpuOptions,
  host: Host,
  say: (text: string) => void,
  report: (rows: readonly Row[]) => void,
): Promise<GpuOutcome> => {
  const { quick, only = [] } = options;
  const info = (await requestAdapter())?.info ?? null;
  const webgpu = info === null ? null : nameOf(info);
  const { mode, adapter, cannot } = await open(options.mode);
  const small = quick || software.test(adapter) || (webgpu !== null && software.test(webgpu));
  say(`on ${adapter}, ${mode}, ${host.runtime}; WebGPU for peers: ${webgpu ?? 'none'}`);
  if (small)
    say(quick ? 'a look: the numbers mean nothing' : 'an adapter in software: small sizes, and no word on any GPU');
  if (cannot !== null) say(`tenfold has no GPU here: ${cannot}`);
  const own = [ownCpu(), ownGpu(options.mode, cannot)];
  const setting: Setting = {
    mode,
    libraries: [...own, ...librariesFor(mode, webgpu, host)],
    small,
    copies:
      mode === 'webgpu'
        ? async bytes => copies(await deviceOfGpuJs(), bytes)
        : `copies are measured on WebGPU only, and this is ${mode}`,
  };
  const byGroup = { ...kernelCases(setting), ...networkCases(setting, own) };
  const cases = groups.filter(group => only.length === 0 || only.includes(group)).flatMap(group => byGroup[group]);
  let failed = cannot !== null;
  const complete = (row: Row): GpuRow => ({ ...row, mode, adapter, runtime: host.runtime });
  const rows = await measureAll(
    cases,
    effortFor(small, options),
    some => report(some.map(complete)),
    () => {
      failed = true;
    },
  );
  return { rows: rows.map(complete), adapter, mode, failed };
};
