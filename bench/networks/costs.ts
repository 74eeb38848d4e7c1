/** What the networks cost, counted on shapes: operations, and what a step cannot do without on its way back. */
import { heads, sequence, type TransformerSizes, transformer, transformerShapes } from './transformer.js';
import { type UnetSizes, unet, unetShapes } from './unet.js';

/** Multiplications and additions in products and convolutions, which are nearly all there are, and elements that are kept. */
export interface Costs {
  readonly forward: number;
  /** Forward and both gradients; there is none of what is given with the examples. */
  readonly step: number;
  /**
   * Inputs of convolutions, products and normalisations, each once, and weights of attention: what gradients are made of when
   * nothing is computed twice. Activations and normalised values follow from them.
   */
  readonly kept: number;
}

interface Traced {
  readonly shape: readonly number[];
  /** Whether it is given with the examples. */
  readonly given?: true;
}

const elementsOf = ({ shape }: Traced): number => shape.reduce((product, length) => product * length, 1);

const ledger = () => {
  let [forward, step] = [0, 0];
  const kept = new Set<Traced>();
  const keep = (x: Traced): void => {
    if (x.given === undefined) kept.add(x);
  };
  return {
    keep,
    /** A product or a convolution of x, whose other factor has a gradient. */
    multiply: (x: Traced, flops: number): void => {
      keep(x);
      forward += flops;
      step += flops * (x.given ? 2 : 3);
    },
    costs: (): Costs => ({ forward, step, kept: [...kept].reduce((sum, x) => sum + elementsOf(x), 0) }),
  };
};

const traced = (shapes: readonly (readonly number[])[]): readonly Traced[] => shapes.map(shape => ({ shape }));

const again = (x: Traced): Traced => x;
const fresh = ({ shape }: Traced): Traced => ({ shape });

export const unetCosts = (sizes: UnetSizes): Costs => {
  const { batch, channels, size, embedding } = sizes;
  const { keep, multiply, costs } = ledger();
  unet<Traced>(
    {
      again,
      add: fresh,
      silu: fresh,
      conv: (x, kernel, _bias, stride) => {
        const [n, from, rows, columns] = x.shape as [number, number, number, number];
        const to = kernel.shape[0]!;
        const shape = [n, to, rows / stride, columns / stride];
        multiply(x, 2 * elementsOf({ shape }) * from * kernel.shape[2]! * kernel.shape[3]!);
        return { shape };
      },
      norm: x => {
        keep(x);
        return fresh(x);
      },
      addDense: (image, x, weight) => {
        multiply(x, 2 * x.shape[0]! * elementsOf(weight));
        return fresh(image);
      },
      upsample: ({ shape: [n, c, rows, columns] }) => ({ shape: [n!, c!, 2 * rows!, 2 * columns!] }),
    },
    traced(unetShapes(sizes)),
    { shape: [batch, channels, size, size], given: true },
    { shape: [batch, embedding], given: true },
  );
  return costs();
};

export const transformerCosts = (sizes: TransformerSizes): Costs => {
  const { batch, tokens } = sizes;
  const { keep, multiply, costs } = ledger();
  const dense = (x: Traced, weight: Traced): Traced => {
    const [rows, to] = [x.shape[0]!, weight.shape[1]!];
    multiply(x, 2 * rows * elementsOf(weight));
    return { shape: [rows, to] };
  };
  transformer<Traced>(
    {
      again,
      add: fresh,
      relu: fresh,
      dense,
      embed: dense,
      norm: x => {
        keep(x);
        return fresh(x);
      },
      attend: (queries, keys, values) => {
        const weights = { shape: [batch, heads, sequence, sequence] };
        keep(keys);
        keep(values);
        const flops = 2 * elementsOf(queries) * sequence;
        multiply(queries, flops);
        multiply(weights, flops);
        return fresh(values);
      },
    },
    traced(transformerShapes(sizes)),
    { shape: [batch * sequence, tokens], given: true },
  );
  return costs();
};
