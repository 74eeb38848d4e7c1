/** Errors that a device reports later than they happen: whoever waits for it is told. */
import { DeviceError } from '../../../errors.js';

export class Failures {
  /** The first error, and how many had begun to wait when somebody was told of it. */
  #first: { readonly message: string; told: number | null } | null = null;
  #waits = 0;

  add(message: string): void {
    if (this.#first === null || this.#first.told !== null) this.#first = { message, told: null };
  }

  /** Begins to wait; gives what `check` is to be called with. */
  wait(): number {
    return this.#waits++;
  }

  /**
   * Ends a waiting.
   *
   * @throws DeviceError if something has failed that nobody was told of: all who wait already are told, nobody later
   */
  check(wait: number, adapter: string): void {
    const first = this.#first;
    if (first === null || (first.told !== null && wait >= first.told)) return;
    first.told ??= this.#waits;
    throw new DeviceError({
      operation: 'device',
      given: `what was launched on ${adapter}`,
      rule: `WebGPU reports an error: ${first.message}`,
      hint: 'What was computed on the device is not to be relied on. With less memory in use it may work.',
    });
  }
}
