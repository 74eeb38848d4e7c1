/** The order of axes in images and kernels: the wasm backend of TensorFlow.js wants channels last, and so all of its backends have it. */
import type { Input } from '../inputs.js';
import type { ProgramName } from '../library.js';

const [image, kernel] = [
  [0, 2, 3, 1],
  [2, 3, 1, 0],
];

/** The order in which an input or a result has its axes; null where it stays as it is. */
type Axes = number[] | null;

/** Programs of nothing but images. */
const images: readonly ProgramName[] = ['maxPool', 'maxPoolInput', 'upsample'];

/** How many images a program of the U-Net has in front of its parameters. */
const leading = (program: ProgramName | 'unetSampling'): number => (program === 'unetStep' ? 2 : 1);

export const inputAxes = (program: ProgramName | 'unetSampling', { shape }: Pick<Input, 'shape'>, i: number): Axes => {
  if (program.startsWith('unet')) {
    if (shape.length === 5) return [0, 1, 3, 4, 2];
    if (shape.length !== 4) return null;
    return i < leading(program) ? image : kernel;
  }
  if (images.some(name => name === program)) return image;
  return program.startsWith('conv') ? [image, kernel, image][i]! : null;
};

export const resultAxes = (program: ProgramName | 'unetSampling', { shape }: Pick<Input, 'shape'>): Axes => {
  if (program === 'unetStep') return shape.length === 4 ? kernel : null;
  if (program.startsWith('convKernel')) return kernel;
  const known = program.startsWith('unet') || program.startsWith('conv') || images.some(name => name === program);
  return known ? image : null;
};

export const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));
