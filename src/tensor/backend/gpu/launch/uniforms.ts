/**
 * What passes are told beside their buffers, in one buffer for all: a launch binds a piece of it by an offset, so bind
 * groups do not depend on what is said. What has been said before stays where it is. What is new is written with one
 * command for all launches of a batch, just before they are submitted; when the buffer is full it is begun anew, after
 * everything that reads it was submitted.
 */
import { bufferUsage, type GpuBuffer, type GpuDevice } from './webgpu-types.js';

const bytes = 2 ** 20;

export class Uniforms {
  readonly buffer: GpuBuffer;
  readonly bytes = bytes;
  readonly #alignment: number;
  readonly #copy = new ArrayBuffer(bytes);
  readonly words = new Uint32Array(this.#copy);
  /** Everything before is taken. */
  #end = 0;
  /** Everything before is on the device. */
  #written = 0;
  #round = 0;

  constructor(device: GpuDevice) {
    this.#alignment = device.limits.minUniformBufferOffsetAlignment ?? 256;
    this.buffer = device.createBuffer({ size: bytes, usage: bufferUsage.uniform | bufferUsage.copyDestination });
  }

  /** How often it was begun anew: an offset is good for one round. */
  get round(): number {
    return this.#round;
  }

  /** The offset, in bytes, of room to be filled in `words`; null when there is none. */
  reserve(size: number): number | null {
    const at = this.#end;
    const end = at + Math.ceil(size / this.#alignment) * this.#alignment;
    if (end > bytes) return null;
    this.#end = end;
    return at;
  }

  /** Brings to the device what is new. */
  write(device: GpuDevice): void {
    if (this.#written === this.#end) return;
    device.queue.writeBuffer(this.buffer, this.#written, this.#copy, this.#written, this.#end - this.#written);
    this.#written = this.#end;
  }

  /** Begins anew. Nothing that reads it may be waiting to be submitted. */
  restart(): void {
    this.#end = 0;
    this.#written = 0;
    this.#round++;
  }
}
