/** The digits as the run uses them: most to learn from, every fifth one held out. */
import { cast, type DType, reshape, type Shape, type Tensor, take, tensor } from 'tenfold';
import { loadDigits, toUnitRange } from 'tenfold/data';
import { orThrow } from '../common/program.js';

export const side = 8;

/** The only element, from wherever it was computed. */
export const numberIn = async (scalar: Tensor<Shape, DType>): Promise<number> => (await scalar.data())[0]!;

/** Images [N, 1, 8, 8] of −1 (paper) to 1 (ink), and which digits they show, int32 [N]. */
export interface Labelled {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** Digits by their numbers. */
export const pick = ({ images, labels }: Labelled, numbers: readonly number[]): Labelled => {
  const rows = tensor([...numbers], { dtype: 'int32' });
  return Object.freeze({ images: take(images, rows, { axis: 0 }), labels: take(labels, rows, { axis: 0 }) });
};

/** All digits, those that models learn from, and those that only tell how well they have learned. */
export interface Digits {
  readonly all: Labelled;
  readonly learned: Labelled;
  readonly heldOut: Labelled;
}

export const readDigits = async (): Promise<Digits> => {
  const { images, labels } = await orThrow(loadDigits());
  const all = {
    images: reshape(toUnitRange(images, 16), [-1, 1, side, side]),
    labels: cast(labels, 'int32') as Tensor,
  };
  const numbers = Array.from({ length: labels.shape[0] }, (_, i) => i);
  const isHeldOut = (i: number): boolean => i % 5 === 4;
  return Object.freeze({
    all,
    learned: pick(
      all,
      numbers.filter(i => !isHeldOut(i)),
    ),
    heldOut: pick(all, numbers.filter(isHeldOut)),
  });
};
