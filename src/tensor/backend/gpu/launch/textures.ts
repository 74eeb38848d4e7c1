/**
 * The modes of WebGL, in a page and in Node. gpu.js translates kernels and draws them, into textures that we give it:
 * those that it makes itself differ in size and class with the grid that made them, so a kernel would have to be
 * compiled for each, and it keeps the last result of every kernel.
 */
import { DeviceError } from '../../../errors.js';
import type { KernelPass, Pass } from '../pass.js';
import { type GlKernelInternals, type GpuInstance, type GpuJs, type GpuKernel, loadGpuJs } from './gpujs.js';
import { argumentTypes, checkMode, failed, Kernels, kernelPass, keyOf } from './kernels.js';
import type { DeviceBuffer, Launchable, Launcher } from './launcher.js';
import { type Components, contextLost, type Gl, sizeOfTexture, type Texture, Textures } from './webgl.js';

type TextureMode = 'webgl2' | 'headlessgl';

interface TextureBuffer extends DeviceBuffer {
  /** null once it is free. */
  texture: Texture | null;
}

/** A pass, and how many floats of a texel it reads. */
interface TexturePass extends KernelPass {
  readonly texel: Components;
}

interface TextureLaunchable extends Launchable {
  readonly pass: TexturePass;
  readonly key: string;
}

/** Kernels of WebGL are programs of the driver. */
const kept = 1024;

/** Of what is read: gpu.js binds what it makes to the unit behind these, or to 15, whatever is there. */
const units = 15;

/** Indices are floats, exact to here. */
const longest = 2 ** 24;

/** How many parts a kernel stacks. */
const parts = 8;

/** A texture as gpu.js takes one. Its class must be the same at every launch of a kernel, and so must its size. */
class Handle {
  readonly type: string;
  readonly size: Int32Array;
  readonly dimensions: readonly number[];
  readonly texture: unknown;
  readonly context: Gl;

  constructor(context: Gl, texels: number, components: Components, texture: unknown) {
    this.type = `ArrayTexture(${components})`;
    this.size = Int32Array.from(sizeOfTexture(texels));
    this.dimensions = [texels, 1, 1];
    this.texture = texture;
    this.context = context;
  }
}

const kernelOf = (name: string, source: string, length: number, reads: readonly number[]): TexturePass => ({
  kind: 'kernel',
  name,
  source,
  grid: [length],
  components: 1,
  reads,
  numbers: [],
  turns: 1,
  flops: 0,
  texel: 1,
});

/** From texels of four floats to texels of one. */
const repack = (floats: number): TexturePass => ({
  ...kernelOf(
    'repack',
    `function(b0) {
const t0 = Math.floor(this.thread.x / 4);
const t1 = b0[t0];
const t2 = this.thread.x - t0 * 4;
return (t2 < 0.5 ? t1[0] : (t2 < 1.5 ? t1[1] : (t2 < 2.5 ? t1[2] : t1[3])));
}`,
    floats,
    [floats / 4],
  ),
  texel: 4,
});

const slicing = (from: number, floats: number): TexturePass => ({
  ...kernelOf('slice', 'function(b0, n0) { return b0[this.thread.x + n0]; }', floats, [from]),
  numbers: [{ kind: 'argument' }],
});

const stacking = (lengths: readonly number[]): TexturePass => {
  let start = 0;
  const loads = lengths.map((length, i) => {
    const load = `b${i}[this.thread.x - ${start}]`;
    start += length;
    return i < lengths.length - 1 ? `this.thread.x < ${start} ? ${load} : ` : load;
  });
  const names = lengths.map((_, i) => `b${i}`);
  const value = `${loads.map((load, i) => (i === 0 ? load : `(${load}`)).join('')}${')'.repeat(lengths.length - 1)}`;
  return kernelOf('stack', `function(${names}) { return (${value}); }`, start, lengths);
};

class TextureLauncher implements Launcher {
  readonly mode: TextureMode;
  readonly traits;
  readonly adapter: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly readsAtOnce = true;
  readonly #gl: Gl;
  readonly #gpu: GpuInstance;
  readonly #textures: Textures;
  readonly #kernels: Kernels<TexturePass>;
  /** The corners of what is drawn, for all kernels. */
  readonly #corners: unknown;
  /** Where programs take corners from: set by the last kernel that was built, used by all. */
  readonly #attributes = new Map<string, number>();
  #destroyed = false;

  constructor(mode: TextureMode, gpu: GpuInstance, gl: Gl) {
    this.mode = mode;
    this.#gpu = gpu;
    this.#gl = gl;
    this.#textures = new Textures(gl, mode === 'webgl2');
    this.#corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corners);
    // Two numbers for each of four corners, twice.
    gl.bufferData(gl.ARRAY_BUFFER, 2 * 4 * 2 * Float32Array.BYTES_PER_ELEMENT, gl.STATIC_DRAW);
    const limit = (name: number): number => Number(gl.getParameter(name));
    this.limits = {
      MAX_TEXTURE_SIZE: limit(gl.MAX_TEXTURE_SIZE),
      MAX_TEXTURE_IMAGE_UNITS: limit(gl.MAX_TEXTURE_IMAGE_UNITS),
      MAX_RENDERBUFFER_SIZE: limit(gl.MAX_RENDERBUFFER_SIZE),
      MAX_FRAGMENT_UNIFORM_VECTORS: limit(gl.MAX_FRAGMENT_UNIFORM_VECTORS),
    };
    const side = Math.min(limit(gl.MAX_TEXTURE_SIZE), limit(gl.MAX_RENDERBUFFER_SIZE));
    this.traits = {
      integers: false,
      reads: Math.min(limit(gl.MAX_TEXTURE_IMAGE_UNITS) - 1, units),
      floats: Math.min(longest, side ** 2),
      shaders: false,
      threads: 2 ** 14,
    };
    const names = gl.getExtension('WEBGL_debug_renderer_info') as { readonly UNMASKED_RENDERER_WEBGL: number } | null;
    this.adapter = String(gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
    this.#kernels = new Kernels({
      gpu,
      mode,
      limit: kept,
      settings: pass => ({
        argumentTypes: argumentTypes(pass, `ArrayTexture(${pass.texel})`),
        // We see to it that nothing is drawn into what is read.
        immutable: false,
        tactic: 'precision',
      }),
      build: (kernel, pass) => this.#build(kernel, pass),
      release: kernel => {
        const internals = kernel.kernel as GlKernelInternals;
        internals.texture = null;
        internals.framebuffer = null;
        internals.buffer = null;
      },
    });
  }

  prepare(pass: Pass): TextureLaunchable {
    const kernel = { ...kernelPass(pass, this.mode), texel: 1 } as const;
    this.#fits(
      kernel.name,
      kernel.grid.reduce((p, n) => p * n, kernel.components),
    );
    return this.#prepare(kernel);
  }

  launch(launchable: Launchable, reads: readonly DeviceBuffer[], numbers: readonly number[]): readonly DeviceBuffer[] {
    const { pass } = launchable as TextureLaunchable;
    const made = this.#draw(
      launchable as TextureLaunchable,
      reads.map(buffer => this.#texture(buffer)),
      numbers,
    );
    if (pass.components === 1) return [this.#buffer(made)];
    const flat = this.#draw(this.#prepare(repack(made.texels * 4)), [made], []);
    this.#textures.give(made);
    return [this.#buffer(flat)];
  }

  upload(data: Float32Array): DeviceBuffer {
    this.#fits('upload', data.length);
    return this.#buffer(this.#textures.upload(data));
  }

  read(buffer: DeviceBuffer): Float32Array {
    return this.#textures.read(this.#texture(buffer));
  }

  slice(buffer: DeviceBuffer, from: number, floats: number): DeviceBuffer {
    const ready = this.#prepare(slicing(buffer.floats, floats));
    return this.#buffer(this.#draw(ready, [this.#texture(buffer)], [from]));
  }

  stack(buffers: readonly DeviceBuffer[]): DeviceBuffer {
    const total = buffers.reduce((sum, { floats }) => sum + floats, 0);
    this.#fits('stack', total);
    const given = buffers.map(buffer => this.#texture(buffer));
    let level = given;
    do {
      const next: Texture[] = [];
      for (let i = 0; i < level.length; i += parts) {
        const group = level.slice(i, i + parts);
        // One left over goes up as it is, if it is ours to hand out.
        const [only] = group;
        if (only !== undefined && group.length === 1 && level !== given) next.push(only);
        else next.push(this.#draw(this.#prepare(stacking(group.map(({ texels }) => texels))), group, []));
      }
      if (level !== given) for (const texture of level) if (!next.includes(texture)) this.#textures.give(texture);
      level = next;
    } while (level.length > 1);
    return this.#buffer(level[0]!);
  }

  lend(buffer: DeviceBuffer): DeviceBuffer {
    return buffer;
  }

  keep(buffer: DeviceBuffer): DeviceBuffer {
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    const { texture } = buffer as TextureBuffer;
    if (texture === null) return;
    this.#textures.give(texture);
    (buffer as TextureBuffer).texture = null;
  }

  flush(): void {
    this.#gl.flush();
  }

  async finish(): Promise<void> {
    this.#textures.finish();
  }

  get bytes(): number {
    return this.#textures.bytes;
  }

  trim(): void {
    this.#textures.trim();
  }

  get lost(): string | null {
    return this.#destroyed || this.#gl.isContextLost() ? contextLost : null;
  }

  async destroy(): Promise<void> {
    this.#kernels.clear();
    this.#textures.destroy();
    this.#gl.deleteBuffer(this.#corners);
    // It gives the context up with the kernel that it was opened with.
    await this.#gpu.destroy();
    this.#destroyed = true;
  }

  #prepare(pass: TexturePass): TextureLaunchable {
    const key = `${pass.texel} ${keyOf(pass)}`;
    this.#kernels.of(pass, key);
    return { pass, key };
  }

  #build(kernel: GpuKernel, pass: TexturePass): void {
    const gl = this.#gl;
    const internals = kernel.kernel as GlKernelInternals;
    const size = Int32Array.from(sizeOfTexture(pass.grid.reduce((p, n) => p * n, 1)));
    internals.checkTextureSize = () => {
      internals.texSize = size;
    };
    internals.buffer = this.#corners;
    const handles = pass.reads.map(floats => new Handle(gl, floats, pass.texel, null));
    internals.build(...handles, ...pass.numbers.map(() => 0));
    if (internals.texSize !== size) throw new Error('gpu.js draws into a texture of a size of its own');
    for (const name of ['aPos', 'aTexCoord']) {
      const at = gl.getAttribLocation(internals.program, name);
      const before = this.#attributes.get(name) ?? at;
      if (at >= 0) this.#attributes.set(name, at);
      if (at >= 0 && before >= 0 && at !== before) throw new Error(`the driver moves ${name} from ${before} to ${at}`);
    }
    // What gpu.js made for this kernel alone.
    if (internals.texture !== null) internals.deleteTexture(internals.texture.texture);
    gl.deleteFramebuffer(internals.framebuffer);
    internals.framebuffer = this.#textures.framebuffer;
  }

  #draw({ pass, key }: TextureLaunchable, reads: readonly Texture[], numbers: readonly number[]): Texture {
    const kernel = this.#kernels.of(pass, key);
    const made = this.#textures.take(
      pass.grid.reduce((p, n) => p * n, 1),
      pass.components,
    );
    const internals = kernel.kernel as GlKernelInternals;
    internals.texture = { texture: made.texture, beforeMutate: () => true };
    const handles = reads.map(({ texels, components, texture }) => new Handle(this.#gl, texels, components, texture));
    try {
      kernel(...handles, ...numbers);
      if (kernel.kernel !== internals) throw new Error('gpu.js has made another kernel for these arguments');
    } catch (cause) {
      throw failed(pass, this.mode, cause);
    }
    return made;
  }

  #buffer(texture: Texture): TextureBuffer {
    return { floats: texture.texels, texture };
  }

  #texture(buffer: DeviceBuffer): Texture {
    const { texture } = buffer as TextureBuffer;
    if (texture !== null) return texture;
    throw new DeviceError({
      operation: this.mode,
      given: `a buffer of ${buffer.floats} floats`,
      rule: 'it is free',
      hint: 'This is a defect of the library.',
    });
  }

  #fits(operation: string, floats: number): void {
    if (floats <= this.traits.floats) return;
    throw new DeviceError({
      operation,
      given: `${floats} floats in one buffer`,
      rule: `${this.mode} takes ${this.traits.floats}: beyond that indices are not exact`,
      hint: 'Make it of smaller tensors, or compute it on the CPU.',
    });
  }
}

const unavailable = (mode: TextureMode, rule: string): DeviceError =>
  new DeviceError({
    operation: 'device',
    given: `a device of the mode ${mode}`,
    rule,
    hint:
      mode === 'webgl2'
        ? 'Use it in a page, of a browser that draws with WebGL 2.'
        : 'It needs the package gl, compiled, and a display: `npm rebuild gl`, and `xvfb-run` where there is no screen.',
  });

/** A context of our own, so that gpu.js needs no canvas that it would enlarge for every kernel. */
const contextOfPage = (): Gl => {
  const Canvas = Reflect.get(globalThis, 'OffscreenCanvas') as
    | (new (
        width: number,
        height: number,
      ) => { getContext(kind: string, settings: object): Gl | null })
    | undefined;
  if (Canvas === undefined) throw unavailable('webgl2', 'there is no OffscreenCanvas here');
  const settings = { alpha: false, depth: false, antialias: false, powerPreference: 'high-performance' };
  const gl = new Canvas(1, 1).getContext('webgl2', settings);
  if (gl === null) throw unavailable('webgl2', 'there is no WebGL 2 here');
  if (gl.getExtension('EXT_color_buffer_float') === null) {
    throw unavailable('webgl2', 'the driver does not draw into textures of floats');
  }
  return gl;
};

const openGpu = (mode: TextureMode, { GPU }: GpuJs): GpuInstance => {
  if (mode === 'webgl2') return new GPU({ mode, context: contextOfPage(), canvas: {} });
  // gpu.js would go on with another mode.
  if (!GPU.isHeadlessGLSupported) throw unavailable(mode, 'gpu.js finds no package gl, or it makes no context');
  return new GPU({ mode });
};

/** @throws DeviceError when gpu.js is not installed or has not this mode here */
export const openTextures = async (mode: TextureMode): Promise<Launcher> => {
  const gpu = openGpu(mode, await loadGpuJs());
  // The context of headlessgl is made with the first kernel, and it is not able to draw into floats before one is
  // built.
  const first = gpu.createKernel('function() { return 1; }', { output: [1], precision: 'single', pipeline: true });
  first.kernel.build();
  try {
    checkMode(first.kernel, mode);
  } catch (cause) {
    throw unavailable(mode, cause instanceof Error ? cause.message : `${cause}`);
  }
  return new TextureLauncher(mode, gpu, gpu.context as Gl);
};
