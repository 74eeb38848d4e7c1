/** The handwritten digits that come with the library. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { restoreTree } from '../io/checkpoint.js';
import { fileSystem, outsideError } from '../io/files.js';
import { decodeSafetensors } from '../io/safetensors.js';
import { FormatError } from '../tensor/errors.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import type { Tensor } from '../tensor/tensor.js';

/** Pictures of digits, 0 (paper) to 16 (ink), and which digits they are. */
export interface Digits {
  readonly images: Tensor<readonly [1797, 8, 8], 'uint8'>;
  readonly labels: Tensor<readonly [1797], 'uint8'>;
}

const read = async (place: URL): Promise<Uint8Array> => {
  if (place.protocol === 'file:') return fileSystem().readFile(place);
  const response = await fetch(place);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

const decode = (file: Uint8Array): E.Either<FormatError, Digits> =>
  pipe(
    decodeSafetensors(file),
    E.chain(({ tensors }) =>
      restoreTree<Digits>(
        { images: zeros([1797, 8, 8], { dtype: 'uint8' }), labels: zeros([1797], { dtype: 'uint8' }) },
        tensors,
      ),
    ),
  );

/**
 * A task that reads 1797 handwritten digits, 8 by 8 pixels of 0 to 16: the test set of *Optical Recognition of
 * Handwritten Digits* (E. Alpaydin and C. Kaynak, 1998, UCI Machine Learning Repository), in the order in which
 * scikit-learn has it. Where they come from and their licence: `assets/digits/README.md`.
 *
 * @returns a task to be called; a FormatError when the file that comes with the library cannot be read
 * @example
 * ```js
 * import { loadDigits } from 'tenfold/data';
 * const { right } = await loadDigits()();
 * right.images.shape; // => [1797, 8, 8]
 * right.labels.dtype; // => 'uint8'
 * ```
 */
export const loadDigits = (): TE.TaskEither<FormatError, Digits> => {
  // As it stands bundlers know it: they ship the file and put its address here.
  const place = new URL('../../assets/digits/digits.safetensors', import.meta.url);
  return pipe(
    TE.tryCatch(
      () => read(place),
      reason => outsideError('loadDigits', 'reading', place.href, reason),
    ),
    TE.chainEitherK(decode),
    TE.mapLeft(
      ({ given, rule, hint, cause }) => new FormatError({ operation: 'loadDigits', given, rule, hint }, { cause }),
    ),
  );
};
