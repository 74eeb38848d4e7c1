/** What is timed on a GPU, in sizes for one and for software that plays one. */
import { type Input, uniform } from '../inputs.js';
import { limitImpl } from '../row.js';
import { type GpuLibrary, type GpuProgramName, links } from './library.js';
import { type Contender, contenderOf, type GpuCase } from './timing.js';
import type { Copies } from './webgpu.js';

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
export const bytesOf = (...shapes: readonly (readonly number[])[]): number =>
  4 * shapes.reduce((sum, shape) => sum + elementsOf(shape), 0);

export interface Setting {
  /** In front of the names of suites: the mode. */
  readonly mode: string;
  /** This library on the CPU first: what it computes is what all are compared with. */
  readonly libraries: readonly GpuLibrary[];
  /** Whether the sizes are those for software. */
  readonly small: boolean;
  /** Copies of so many bytes on the device that this library computes on, or why there are none. */
  readonly copies: ((bytes: number) => Promise<Copies>) | string;
}

/** Copying as many bytes as a program reads and writes. */
const copying = ({ copies }: Setting, bytes: number): Contender => ({
  impl: limitImpl,
  threads: 1,
  note: 'a copy within the device',
  cannot: typeof copies === 'string' ? copies : null,
  compared: false,
  enter: async () => {},
  prepare: async () => {
    if (typeof copies === 'string') throw new Error(copies);
    // Half is read, and half written.
    const { copy, destroy } = await copies(Math.ceil(bytes / 8) * 4);
    let launched = 0;
    return {
      launch: () => {
        launched++;
      },
      settle: async () => {
        const count = launched;
        launched = 0;
        await copy(count);
      },
      drop: () => {},
      read: async () => [],
      dispose: destroy,
    };
  },
});

export const contendersOf = (
  { libraries }: Setting,
  program: GpuProgramName,
  inputs: readonly Input[],
): readonly Contender[] => libraries.map(library => contenderOf(library, program, inputs));

const gemm = (setting: Setting, n: number) => (): GpuCase => {
  const shape = [n, n];
  return {
    suite: `${setting.mode} gemm`,
    name: `${n}`,
    flops: 2 * n ** 3,
    bytes: bytesOf(shape, shape, shape),
    results: bytesOf(shape),
    contenders: contendersOf(setting, 'matmul', [uniform(0, shape), uniform(1, shape)]),
  };
};

interface Layer {
  readonly channels: number;
  readonly size: number;
  readonly batch: number;
}

const parts = [
  { text: 'forward', program: 'conv' },
  { text: 'input gradient', program: 'convInput' },
  { text: 'kernel gradient', program: 'convKernel' },
] as const;

const conv = (setting: Setting, { channels, size, batch }: Layer): readonly (() => GpuCase)[] =>
  parts.map(({ text, program }) => (): GpuCase => {
    const images = [batch, channels, size, size];
    const weights = [channels, channels, 3, 3];
    const shapes = [images, weights, images];
    const result = program === 'convKernel' ? weights : images;
    const inputs = shapes.slice(0, program === 'conv' ? 2 : 3).map((shape, i) => uniform(i, shape));
    return {
      suite: `${setting.mode} conv`,
      name: `3×3 ${channels}→${channels} at ${size}×${size}, batch ${batch}, ${text}`,
      flops: 2 * elementsOf(images) * channels * 9,
      bytes: bytesOf(...shapes),
      results: bytesOf(result),
      // Kernel gradients are sums of many terms.
      tolerance: 5e-4,
      contenders: contendersOf(setting, program, inputs),
    };
  });

interface FusedOptions {
  readonly name: string;
  readonly program: GpuProgramName;
  readonly inputs: () => readonly Input[];
  readonly results: readonly (readonly number[])[];
}

/** What is read at least are the inputs, what is written are the results. */
const fused =
  (setting: Setting, { name, program, inputs: make, results }: FusedOptions) =>
  (): GpuCase => {
    const inputs = make();
    const bytes = bytesOf(...inputs.map(({ shape }) => shape), ...results);
    return {
      suite: `${setting.mode} fused`,
      name,
      bytes,
      results: bytesOf(...results),
      contenders: [...contendersOf(setting, program, inputs), copying(setting, bytes)],
    };
  };

const fusedCases = (setting: Setting): readonly (() => GpuCase)[] => {
  const { small } = setting;
  const power = (exponent: number): string => `2^${exponent}`;
  const [few, many] = small ? [14, 16] : [20, 24];
  const [rows, image] = small
    ? [
        [128, 128],
        [2, 32, 16, 16],
      ]
    : [
        [1024, 1024],
        [4, 64, 64, 64],
      ];
  const flat = (exponent: number, name: string, program: GpuProgramName) =>
    fused(setting, {
      name: `${name}, ${power(exponent)}`,
      program,
      inputs: () => [uniform(0, [2 ** exponent])],
      results: [[2 ** exponent]],
    });
  const params = [small ? 2 ** 16 : 2 ** 22];
  const vectors = (length: number): readonly Input[] => [uniform(1, [length]), uniform(2, [length])];
  return [
    flat(few, 'a·a + 1', 'squarePlusOne'),
    flat(many, 'a·a + 1', 'squarePlusOne'),
    flat(few, `${2 * links} steps`, 'chain'),
    flat(many, `${2 * links} steps`, 'chain'),
    fused(setting, {
      name: `softmax of rows, ${rows.join('×')}`,
      program: 'softmax',
      inputs: () => [uniform(0, rows)],
      results: [rows],
    }),
    fused(setting, {
      name: `layer norm, ${rows.join('×')}`,
      program: 'layerNorm',
      inputs: () => [uniform(0, rows), ...vectors(rows[1]!)],
      results: [rows],
    }),
    fused(setting, {
      name: `group norm + SiLU, ${image.join('×')}`,
      program: 'groupNormSilu',
      inputs: () => [uniform(0, image), ...vectors(image[1]!)],
      results: [image],
    }),
    fused(setting, {
      name: `Adam update, ${power(Math.log2(params[0]!))}`,
      program: 'adam',
      inputs: () => [uniform(0, params), uniform(1, params), uniform(2, params, -0.1, 0.1), uniform(3, params, 0, 0.1)],
      results: [params, params, params],
    }),
  ];
};

/** Products, convolutions, fused programs. */
export const kernelCases = (
  setting: Setting,
): Readonly<Record<'gemm' | 'conv' | 'fused', readonly (() => GpuCase)[]>> => {
  const { small } = setting;
  const layers: readonly Layer[] = small
    ? [{ channels: 16, size: 8, batch: 2 }]
    : [
        { channels: 64, size: 32, batch: 8 },
        { channels: 64, size: 32, batch: 64 },
        { channels: 128, size: 32, batch: 8 },
      ];
  return {
    gemm: (small ? [64, 128, 256] : [512, 1024, 2048, 4096]).map(n => gemm(setting, n)),
    conv: layers.flatMap(layer => conv(setting, layer)),
    fused: fusedCases(setting),
  };
};
