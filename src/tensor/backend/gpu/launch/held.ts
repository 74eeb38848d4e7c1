/** What the launcher for WebGPU hands out. */
import type { Pass } from '../pass.js';
import type { DeviceBuffer, Launchable } from './launcher.js';
import type { Prepared } from './pipelines.js';
import type { Slot } from './pool.js';

/**
 * Work that is enough to be submitted: some 0.2 ms of a large GPU. So it begins early, and while it is busy buffers are made
 * for what follows.
 */
const [enoughBytes, enoughFlops] = [2 ** 28, 2 ** 32];

/** A buffer that somebody has. */
export class Held implements DeviceBuffer {
  /** Null when it has been freed. */
  slot: Slot | null;
  readonly floats: number;

  constructor(slot: Slot, floats: number) {
    this.slot = slot;
    this.floats = floats;
  }
}

export class WebGpuLaunchable implements Launchable {
  readonly pass: Pass;
  /** Floats of what it makes. */
  readonly makes: readonly number[];
  /** Null where there is nothing to do. */
  readonly prepared: Prepared | null;
  /** Work, as a part of what is enough to be submitted. */
  readonly work: number;

  constructor(pass: Pass, makes: readonly number[], prepared: Prepared | null) {
    this.pass = pass;
    this.makes = makes;
    this.prepared = prepared;
    const floats = [...pass.reads, ...makes].reduce((sum, n) => sum + n, 0);
    this.work = (4 * floats) / enoughBytes + pass.flops / enoughFlops;
  }
}

export const slotOf = (buffer: DeviceBuffer): Slot => {
  const { slot } = buffer as Held;
  if (slot !== null) return slot;
  throw new Error(`a buffer of ${buffer.floats} floats is used after it was freed: please report this`);
};
