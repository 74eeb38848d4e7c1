/**
 * WebGPU. gpu.js translates kernels and has the device; compiling and launching is done here, many launches in one
 * command encoder: a launch of what was launched before sets a pipeline and a bind group and nothing else.
 */
import { DeviceError } from '../../../errors.js';
import { madeBy, type Pass, type Traits } from '../pass.js';
import { Failures } from './failures.js';
import type { GpuJs } from './gpujs.js';
import { Held, slotOf, WebGpuLaunchable } from './held.js';
import type { DeviceBuffer, Launchable, Launcher } from './launcher.js';
import { keep, Pipelines, Prepared, leastBinding as unit } from './pipelines.js';
import { BufferPool, type Slot } from './pool.js';
import { Uniforms } from './uniforms.js';
import { acquireWebGpu, limitsOf, nameOf } from './webgpu-device.js';
import {
  bufferUsage,
  type GpuAdapter,
  type GpuBindGroup,
  type GpuCommandEncoder,
  type GpuComputePass,
  type GpuComputePipeline,
  type GpuDevice,
  mapModeRead,
} from './webgpu-types.js';

/** Launches after which they are submitted, unless there was enough work in fewer. */
const batch = 64;
/** Bind groups that are kept of a launchable. */
const mostGroups = 128;
/** Bytes up to which a copy costs less than the bind groups that another buffer would take. */
const mostCopied = 4 * 2 ** 20;
/** Bytes of buffers for reading that are kept. */
const mostStaging = 64 * 2 ** 20;

class WebGpuLauncher implements Launcher {
  readonly mode = 'webgpu';
  readonly readsAtOnce = false;
  readonly traits: Traits;
  readonly adapter: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly #gpuJs: GpuJs;
  readonly #device: GpuDevice;
  /** For what runs make on their way, so that all runs of a program have the same buffers; and for what stays. */
  readonly #passing: BufferPool;
  readonly #staying: BufferPool;
  readonly #staging: BufferPool;
  readonly #uniforms: Uniforms;
  readonly #failures = new Failures();
  readonly #pipelines: Pipelines;
  /** Commands that have not been submitted. */
  #encoder: GpuCommandEncoder | null = null;
  #computing: GpuComputePass | null = null;
  #pipeline: GpuComputePipeline | null = null;
  #launches = 0;
  #work = 0;
  /** Number of the batch that is being encoded. */
  #batch = 0;
  /** Counts how often buffers were destroyed: bind groups made before may be of those. */
  #epoch = 0;
  #lost: string | null = null;
  /** Room for the numbers of a launch. */
  readonly #floats = new Float32Array(2 ** 14);
  readonly #integers = new Int32Array(this.#floats.buffer);

  constructor(gpuJs: GpuJs, adapter: GpuAdapter, device: GpuDevice) {
    this.#gpuJs = gpuJs;
    this.#device = device;
    this.#pipelines = new Pipelines(new gpuJs.GPU({ mode: 'webgpu' }), device);
    const most = Math.min(device.limits.maxStorageBufferBindingSize ?? 2 ** 27, device.limits.maxBufferSize ?? 2 ** 28);
    const bytes = Math.floor(most / unit) * unit;
    this.traits = { integers: true, reads: 7, floats: bytes / 4, shaders: true, threads: 2 ** 16 };
    this.adapter = nameOf(adapter);
    this.limits = limitsOf(device);
    const failed = (message: string): void => this.#failures.add(message);
    const { storage, copySource, copyDestination, mapRead } = bufferUsage;
    let ids = 0;
    const pool = (usage: number): BufferPool => new BufferPool(device, usage, bytes, failed, () => ids++);
    this.#passing = pool(storage | copySource | copyDestination);
    this.#staying = pool(storage | copySource | copyDestination);
    this.#staging = pool(mapRead | copyDestination);
    this.#uniforms = new Uniforms(device);
    device.onuncapturederror = event => {
      event.preventDefault?.();
      this.#failures.add(event.error.message);
    };
    device.lost.then(({ reason, message }) => {
      this.#lost ??= message || reason;
    });
  }

  get lost(): string | null {
    return this.#lost;
  }

  get bytes(): number {
    return (
      this.#passing.bytes + this.#staying.bytes + this.#staging.bytes + (this.#lost === null ? this.#uniforms.bytes : 0)
    );
  }

  prepare(pass: Pass): Launchable | Promise<Launchable> {
    const makes = madeBy(pass);
    const sizes = pass.kind === 'kernel' ? pass.grid : pass.workgroups;
    if (sizes.includes(0)) return new WebGpuLaunchable(pass, makes, null);
    this.#check(pass.name);
    const prepared = this.#pipelines.of(pass);
    if (prepared instanceof Prepared) return new WebGpuLaunchable(pass, makes, prepared);
    return prepared.then(
      done => new WebGpuLaunchable(pass, makes, done),
      (error: unknown) => {
        this.#check(pass.name);
        throw error;
      },
    );
  }

  launch(launchable: Launchable, reads: readonly DeviceBuffer[], numbers: readonly number[]): readonly DeviceBuffer[] {
    const { pass, makes, prepared, work } = launchable as WebGpuLaunchable;
    this.#check(pass.name);
    const takes = prepared?.translation;
    if (takes !== undefined && (reads.length !== takes.shader.reads || numbers.length !== takes.integers.length)) {
      throw new DeviceError({
        operation: pass.name,
        given: `${reads.length} buffers and ${numbers.length} numbers`,
        rule: `it takes ${takes.shader.reads} and ${takes.integers.length}`,
        hint: 'This is a defect of the library: please report it.',
      });
    }
    const made = makes.map(floats => this.#allocate(pass.name, floats));
    if (prepared === null) return made;
    const { pipeline } = prepared;
    const { shader, workgroups } = prepared.translation;
    const slots = [...reads.map(slotOf), ...made.map(slotOf)];
    // May submit, so it comes before anything is encoded.
    const offset = shader.uniformBytes === 0 ? null : this.#say(prepared, numbers);
    const group = this.#groupOf(prepared, slots);
    const computing = this.#compute();
    if (this.#pipeline !== pipeline) {
      computing.setPipeline(pipeline);
      this.#pipeline = pipeline;
    }
    if (offset === null) computing.setBindGroup(0, group);
    else computing.setBindGroup(0, group, [offset]);
    computing.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    for (const slot of slots) slot.used = this.#batch;
    this.#launches += 1;
    this.#work += work;
    if (this.#launches >= batch || this.#work >= 1) this.flush();
    return made;
  }

  upload(data: Float32Array): DeviceBuffer {
    this.#check('upload');
    const buffer = this.#allocate('upload', data.length, this.#staying);
    const slot = slotOf(buffer);
    // What is written comes before all that has not been submitted.
    if (slot.used === this.#batch) this.flush();
    // Dawn in Node (0.6.2) crashes when it is given shared memory.
    const shared = typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer;
    if (data.length > 0) this.#device.queue.writeBuffer(slot.buffer, 0, shared ? data.slice() : data);
    return buffer;
  }

  async read(buffer: DeviceBuffer): Promise<Float32Array> {
    this.#check('read');
    const wait = this.#failures.wait();
    const bytes = 4 * buffer.floats;
    if (bytes === 0) return new Float32Array(0);
    const from = slotOf(buffer);
    const staging = this.#staging.take(bytes);
    this.#copy().copyBufferToBuffer(from.buffer, 0, staging.buffer, 0, bytes);
    from.used = this.#batch;
    staging.used = this.#batch;
    // What else is read in this turn is submitted together with it.
    await null;
    if (staging.used === this.#batch) this.flush();
    try {
      await staging.buffer.mapAsync(mapModeRead, 0, bytes);
    } catch (cause) {
      this.#staging.discard(staging);
      this.#failures.check(wait, this.adapter);
      this.#check('read');
      throw new DeviceError(
        {
          operation: 'read',
          given: `a buffer of ${buffer.floats} floats`,
          rule: `the device does not give it (${cause instanceof Error ? cause.message : cause})`,
          hint: 'Read fewer values at a time, if there is too little memory.',
        },
        { cause },
      );
    }
    const data = new Float32Array(staging.buffer.getMappedRange(0, bytes)).slice();
    staging.buffer.unmap();
    this.#staging.give(staging);
    if (this.#staging.keptBytes > mostStaging) this.#staging.trim();
    this.#failures.check(wait, this.adapter);
    return data;
  }

  slice(buffer: DeviceBuffer, from: number, floats: number): DeviceBuffer {
    this.#check('slice');
    const source = slotOf(buffer);
    const part = this.#allocate('slice', floats);
    this.#copyFloats(source, from, slotOf(part), 0, floats);
    return part;
  }

  stack(parts: readonly DeviceBuffer[]): DeviceBuffer {
    this.#check('stack');
    const all = this.#allocate(
      'stack',
      parts.reduce((sum, { floats }) => sum + floats, 0),
    );
    const to = slotOf(all);
    let at = 0;
    for (const part of parts) {
      this.#copyFloats(slotOf(part), 0, to, at, part.floats);
      at += part.floats;
    }
    return all;
  }

  lend(buffer: DeviceBuffer): DeviceBuffer {
    return 4 * buffer.floats > mostCopied ? buffer : this.#copied(buffer, this.#passing);
  }

  keep(buffer: DeviceBuffer): DeviceBuffer {
    return 4 * buffer.floats > mostCopied ? buffer : this.#copied(buffer, this.#staying);
  }

  free(buffer: DeviceBuffer): void {
    const held = buffer as Held;
    held.slot?.pool.give(held.slot);
    held.slot = null;
  }

  flush(): void {
    const encoder = this.#encoder;
    if (encoder === null) return;
    this.#computing?.end();
    this.#computing = null;
    this.#pipeline = null;
    this.#encoder = null;
    this.#launches = 0;
    this.#work = 0;
    this.#batch += 1;
    if (this.#lost !== null) return;
    this.#uniforms.write(this.#device);
    this.#device.queue.submit([encoder.finish()]);
  }

  async finish(): Promise<void> {
    this.#check('finish');
    const wait = this.#failures.wait();
    this.flush();
    // Rejects when the device is lost, which is said below.
    await this.#device.queue.onSubmittedWorkDone().catch(() => undefined);
    this.#failures.check(wait, this.adapter);
    this.#check('finish');
  }

  trim(): void {
    const pools = [this.#passing, this.#staying, this.#staging];
    if (pools.every(({ keptBytes }) => keptBytes === 0)) return;
    this.flush();
    for (const pool of pools) pool.trim();
    this.#epoch += 1;
  }

  async destroy(): Promise<void> {
    if (this.#lost === null) this.flush();
    this.#lost ??= 'it was destroyed';
    for (const pool of [this.#passing, this.#staying, this.#staging]) pool.destroy();
    this.#uniforms.buffer.destroy();
    this.#pipelines.clear();
    await this.#gpuJs.WebGPUContext.destroy();
  }

  #check(operation: string): void {
    if (this.#lost === null) return;
    throw new DeviceError({
      operation,
      given: `work for ${this.adapter}`,
      rule: `the device is lost: ${this.#lost}`,
      hint: 'Open the device again; what was on it is gone.',
    });
  }

  #allocate(operation: string, floats: number, pool = this.#passing): Held {
    if (floats > this.traits.floats) {
      throw new DeviceError({
        operation,
        given: `a buffer of ${floats} floats`,
        rule: `a buffer of this device has at most ${this.traits.floats}`,
        hint: 'Compute smaller pieces, or compute it on the CPU.',
      });
    }
    return new Held(pool.take(Math.max(unit, Math.ceil((4 * floats) / unit) * unit)), floats);
  }

  #copied(buffer: DeviceBuffer, pool: BufferPool): DeviceBuffer {
    this.#check('copy');
    const copy = this.#allocate('copy', buffer.floats, pool);
    this.#copyFloats(slotOf(buffer), 0, slotOf(copy), 0, buffer.floats);
    return copy;
  }

  #encode(): GpuCommandEncoder {
    this.#encoder ??= this.#device.createCommandEncoder();
    return this.#encoder;
  }

  #compute(): GpuComputePass {
    this.#computing ??= this.#encode().beginComputePass();
    return this.#computing;
  }

  /** The encoder, for copies. */
  #copy(): GpuCommandEncoder {
    this.#computing?.end();
    this.#computing = null;
    this.#pipeline = null;
    return this.#encode();
  }

  #copyFloats(from: Slot, start: number, to: Slot, at: number, floats: number): void {
    if (floats === 0) return;
    this.#copy().copyBufferToBuffer(from.buffer, 4 * start, to.buffer, 4 * at, 4 * floats);
    from.used = this.#batch;
    to.used = this.#batch;
  }

  /** The offset of a uniform that says this. */
  #say(prepared: Prepared, numbers: readonly number[]): number {
    const { integers, header, shader } = prepared.translation;
    let key = '';
    for (let i = 0; i < numbers.length; i++) {
      if (integers[i]) this.#integers[i] = numbers[i]!;
      else this.#floats[i] = numbers[i]!;
      key += `${this.#integers[i]!} `;
    }
    if (prepared.round !== this.#uniforms.round) prepared.offsets.clear();
    prepared.round = this.#uniforms.round;
    const known = prepared.offsets.get(key);
    if (known !== undefined) return known;
    const offset = this.#uniforms.reserve(shader.uniformBytes) ?? this.#reserveAnew(prepared);
    const { words } = this.#uniforms;
    words.set(header, offset / 4);
    for (let i = 0; i < numbers.length; i++) words[offset / 4 + header.length + i] = this.#integers[i]!;
    prepared.offsets.set(key, offset);
    return offset;
  }

  #reserveAnew(prepared: Prepared): number {
    this.flush();
    this.#uniforms.restart();
    prepared.offsets.clear();
    prepared.round = this.#uniforms.round;
    const { uniformBytes } = prepared.translation.shader;
    const offset = this.#uniforms.reserve(uniformBytes);
    if (offset === null) throw new Error(`a pass has ${uniformBytes} bytes of numbers: please report this`);
    return offset;
  }

  #groupOf(prepared: Prepared, slots: readonly Slot[]): GpuBindGroup {
    if (prepared.epoch !== this.#epoch) prepared.groups.clear();
    prepared.epoch = this.#epoch;
    let key = '';
    for (const { id } of slots) key += `${id} `;
    const known = prepared.groups.get(key);
    if (known !== undefined) return known;
    const { uniformBytes } = prepared.translation.shader;
    const first = uniformBytes === 0 ? 0 : 1;
    const uniform = { binding: 0, resource: { buffer: this.#uniforms.buffer, offset: 0, size: uniformBytes } };
    const entries = slots.map(({ buffer }, i) => ({ binding: first + i, resource: { buffer } }));
    const group = this.#device.createBindGroup({
      layout: prepared.layout,
      entries: uniformBytes === 0 ? entries : [uniform, ...entries],
    });
    keep(prepared.groups, key, group, mostGroups);
    return group;
  }
}

/**
 * The launcher for WebGPU.
 *
 * @throws Error with the reason when there is no WebGPU here
 */
export const openWebGpu = async (): Promise<Launcher> => {
  const { gpuJs, adapter, device } = await acquireWebGpu();
  return new WebGpuLauncher(gpuJs, adapter, device);
};
