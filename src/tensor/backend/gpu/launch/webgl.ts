/**
 * Floats in textures of WebGL: made, kept for reuse, written and read. A texture's size depends on the number of its
 * texels alone, and rows are a power of two wide, so what computes a texel's place from its index divides exactly.
 */
import { DeviceError } from '../../../errors.js';

/** What we call of a context of WebGL. */
export interface Gl {
  readonly TEXTURE_2D: number;
  readonly TEXTURE0: number;
  readonly TEXTURE_WRAP_S: number;
  readonly TEXTURE_WRAP_T: number;
  readonly TEXTURE_MIN_FILTER: number;
  readonly TEXTURE_MAG_FILTER: number;
  readonly CLAMP_TO_EDGE: number;
  readonly NEAREST: number;
  readonly FLOAT: number;
  readonly RED: number;
  readonly RGBA: number;
  readonly R32F: number;
  readonly RGBA32F: number;
  readonly FRAMEBUFFER: number;
  readonly COLOR_ATTACHMENT0: number;
  readonly IMPLEMENTATION_COLOR_READ_FORMAT: number;
  readonly IMPLEMENTATION_COLOR_READ_TYPE: number;
  readonly ARRAY_BUFFER: number;
  readonly STATIC_DRAW: number;
  readonly NO_ERROR: number;
  readonly OUT_OF_MEMORY: number;
  readonly MAX_TEXTURE_SIZE: number;
  readonly MAX_TEXTURE_IMAGE_UNITS: number;
  readonly MAX_RENDERBUFFER_SIZE: number;
  readonly MAX_FRAGMENT_UNIFORM_VECTORS: number;
  readonly RENDERER: number;
  activeTexture(unit: number): void;
  bindTexture(target: number, texture: unknown): void;
  createTexture(): unknown;
  deleteTexture(texture: unknown): void;
  texParameteri(target: number, name: number, value: number): void;
  texImage2D(
    target: number,
    level: number,
    internal: number,
    width: number,
    height: number,
    border: number,
    format: number,
    type: number,
    data: Float32Array | null,
  ): void;
  texSubImage2D(
    target: number,
    level: number,
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    data: Float32Array,
  ): void;
  createFramebuffer(): unknown;
  deleteFramebuffer(framebuffer: unknown): void;
  bindFramebuffer(target: number, framebuffer: unknown): void;
  framebufferTexture2D(target: number, attachment: number, kind: number, texture: unknown, level: number): void;
  readPixels(
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    into: Float32Array,
  ): void;
  createBuffer(): unknown;
  deleteBuffer(buffer: unknown): void;
  bindBuffer(target: number, buffer: unknown): void;
  bufferData(target: number, bytes: number, usage: number): void;
  getAttribLocation(program: unknown, name: string): number;
  getParameter(name: number): unknown;
  getExtension(name: string): unknown;
  getError(): number;
  isContextLost(): boolean;
  flush(): void;
}

/** Width and height. */
export const sizeOfTexture = (texels: number): readonly [number, number] => {
  const width = 2 ** Math.ceil(Math.log2(Math.max(texels, 1)) / 2);
  return [width, Math.max(Math.ceil(texels / width), 1)];
};

/** A context is taken away by the browser or the driver, or by our own destroying it. */
export const contextLost = 'the context of WebGL is lost';

/** How many floats a texel gives a buffer. */
export type Components = 1 | 4;

export interface Texture {
  readonly texture: unknown;
  readonly texels: number;
  readonly components: Components;
}

const bytesPerFloat = Float32Array.BYTES_PER_ELEMENT;

export class Textures {
  readonly gl: Gl;
  /** All draw into this one: a framebuffer keeps what is attached to it. */
  readonly framebuffer: unknown;
  /** Whether a texel can be a single float: in WebGL 1 it is four, whatever is used of them. */
  readonly #tight: boolean;
  readonly #spare = new Map<string, Texture[]>();
  #bytes = 0;
  #spareBytes = 0;

  constructor(gl: Gl, tight: boolean) {
    this.gl = gl;
    this.#tight = tight;
    this.framebuffer = gl.createFramebuffer();
  }

  /** Those kept for reuse included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is in it is arbitrary. */
  take(texels: number, components: Components): Texture {
    const spare = this.#spare.get(`${texels} ${components}`)?.pop();
    if (spare !== undefined) {
      this.#spareBytes -= this.#bytesOf(spare);
      return spare;
    }
    const made = { texture: this.#create(texels, components), texels, components };
    this.#bytes += this.#bytesOf(made);
    return made;
  }

  give(texture: Texture): void {
    const { texels, components } = texture;
    const key = `${texels} ${components}`;
    const others = this.#spare.get(key);
    if (others === undefined) this.#spare.set(key, [texture]);
    else others.push(texture);
    this.#spareBytes += this.#bytesOf(texture);
  }

  trim(): void {
    for (const textures of this.#spare.values()) for (const { texture } of textures) this.gl.deleteTexture(texture);
    this.#spare.clear();
    this.#bytes -= this.#spareBytes;
    this.#spareBytes = 0;
  }

  /** With one float a texel. */
  upload(data: Float32Array): Texture {
    const { gl } = this;
    const made = this.take(data.length, 1);
    const [width, height] = sizeOfTexture(data.length);
    const whole = Math.floor(data.length / width);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, made.texture);
    const write = (row: number, columns: number, rows: number): void => {
      const part = data.subarray(row * width, row * width + columns * rows);
      const texels = this.#tight ? part : spread(part);
      const format = this.#tight ? gl.RED : gl.RGBA;
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, columns, rows, format, gl.FLOAT, texels);
    };
    if (whole > 0) write(0, width, whole);
    if (whole < height) write(whole, data.length - whole * width, 1);
    return made;
  }

  /** What has one float a texel. Waits until everything is done. */
  read({ texture, texels }: Texture): Float32Array {
    const { gl } = this;
    this.#attach(texture);
    const tight =
      this.#tight &&
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_FORMAT) === gl.RED &&
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_TYPE) === gl.FLOAT;
    const [width, height] = sizeOfTexture(texels);
    const read = new Float32Array(width * height * (tight ? 1 : 4));
    gl.readPixels(0, 0, width, height, tight ? gl.RED : gl.RGBA, gl.FLOAT, read);
    this.check('read');
    return tight ? read.slice(0, texels) : Float32Array.from({ length: texels }, (_, i) => read[4 * i]!);
  }

  /** Waits until everything is done. */
  finish(): void {
    const { gl } = this;
    const probe = this.take(1, 1);
    this.#attach(probe.texture);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.FLOAT, new Float32Array(4));
    this.give(probe);
    this.check('finish');
  }

  /** @throws DeviceError when anything has failed since it was asked last: WebGL says so only when asked. */
  check(operation: string): void {
    const { gl } = this;
    const error = gl.getError();
    const lost = gl.isContextLost();
    if (error === gl.NO_ERROR && !lost) return;
    const memory = error === gl.OUT_OF_MEMORY;
    throw new DeviceError({
      operation,
      given: `${this.bytes} bytes in textures`,
      rule: lost
        ? contextLost
        : memory
          ? 'the device has no memory left'
          : `WebGL has failed with the error 0x${error.toString(16)}`,
      hint: lost
        ? 'Ask for the device again.'
        : memory
          ? 'Keep less on the device.'
          : 'This is a defect of the library or of the driver.',
    });
  }

  destroy(): void {
    this.trim();
    this.gl.deleteFramebuffer(this.framebuffer);
  }

  #bytesOf({ texels, components }: Texture): number {
    const [width, height] = sizeOfTexture(texels);
    return width * height * (this.#tight ? components : 4) * bytesPerFloat;
  }

  #create(texels: number, components: Components): unknown {
    const { gl } = this;
    const [width, height] = sizeOfTexture(texels);
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    const [internal, format] = !this.#tight
      ? [gl.RGBA, gl.RGBA]
      : components === 1
        ? [gl.R32F, gl.RED]
        : [gl.RGBA32F, gl.RGBA];
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.FLOAT, null);
    return texture;
  }

  #attach(texture: unknown): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  }
}

/** Each float in the first of four. */
const spread = (data: Float32Array): Float32Array => {
  const texels = new Float32Array(4 * data.length);
  for (const [i, value] of data.entries()) texels[4 * i] = value;
  return texels;
};
