/** How good drawn digits are: what a classifier takes them for, and how its features of them are distributed. */
import { add, clamp, div, mul, realize, round, sub, type Tensor } from 'tenfold';
import { shuffledIndices } from 'tenfold/data';
import { frechetDistance } from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import type { Classifier } from './classifier.js';
import { type Digits, type Labelled, numberIn, pick } from './data.js';

/** So many of how many. */
interface Share {
  readonly right: number;
  readonly of: number;
}

export interface Judgement {
  /** How often the classifier is right on real digits that it has not learned from. */
  readonly real: Share;
  /** How often it takes drawn digits for what was asked for. */
  readonly drawn: Share;
  /** Fréchet distances on its features, of so many images to as many: of real ones to others, and of drawn ones to these. */
  readonly frechet: { readonly real: number; readonly drawn: number; readonly of: number } | null;
}

/** With the 17 levels of ink that real digits have. */
const inLevels = (images: Tensor): Tensor => sub(div(round(mul(add(clamp(images, -1, 1), 1), 8)), 8), 1) as Tensor;

/** Two halves of the real digits, the same in every run: by chance, since every other one would be even digits. */
const half = 898;
const halves = shuffledIndices(key(0), 1797, 2 * half)(0);

/** Judges drawn digits; one digit alone is compared with no others, of which there are too few. */
export const judge = async (
  { features, right }: Classifier,
  digits: Digits,
  drawn: Labelled,
  areAll: boolean,
): Promise<Judgement> => {
  const images = realize(inLevels(drawn.images));
  const shareOf = async (given: Labelled): Promise<Share> => ({
    right: await right(given),
    of: given.images.shape[0]!,
  });
  const [real, recognised] = [await shareOf(digits.heldOut), await shareOf({ images, labels: drawn.labels })];
  if (!areAll) return { real, drawn: recognised, frechet: null };
  const count = recognised.of;
  const order = Array.from(await halves.data());
  const realFrom = (place: number): Tensor => features(pick(digits.all, order.slice(place, place + count)).images);
  const [some, others] = [realFrom(0), realFrom(half)];
  const distance = (of: Tensor): Promise<number> => numberIn(frechetDistance(of, others));
  const frechet = { real: await distance(some), drawn: await distance(features(images)), of: count };
  return { real, drawn: recognised, frechet };
};

const percent = ({ right, of }: Share): string => `${((100 * right) / of).toFixed(1)} % of ${of}`;

/** A judgement as names and values. */
export const factsOf = ({ real, drawn, frechet }: Judgement): readonly (readonly [string, string])[] => {
  const distances =
    frechet === null
      ? []
      : ([
          ['Fréchet distance, real to real', `${frechet.real.toFixed(2)} (${frechet.of} and ${frechet.of} images)`],
          [
            'Fréchet distance, drawn to real',
            `${frechet.drawn.toFixed(2)} (${frechet.of} and ${frechet.of} images), ${(frechet.drawn / frechet.real).toFixed(2)} times as much`,
          ],
        ] as const);
  return [
    ['classifier right on held-out real digits', percent(real)],
    ['drawn digits recognised as the digit asked for', percent(drawn)],
    ...distances,
  ];
};
