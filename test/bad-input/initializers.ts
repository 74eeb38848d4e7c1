/** First values of parameters: no keys, no shapes, wrong options. */
import { zeros } from 'tenfold';
import {
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
  truncNormal,
  xavierNormal,
  xavierUniform,
} from 'tenfold/nn';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const noKeys = [0, undefined, null, zeros([2]), 'key'];
const noShapes = [[1.5, 2], [-1, 2], '23', 3, undefined, null];
const noMatrices = [[], [3], [0, 3], [3, 0]];
const wrongGain = [{ gain: 0 }, { gain: -1 }, { gain: Number.NaN }, { gain: 'relu' }, { gains: 1 }, 2];

const bad = (f: unknown, shapes: readonly unknown[], options: readonly unknown[]): BadInputs[string] =>
  refused(
    f,
    ...noKeys.map(each => [each, [2, 3]]),
    ...[...noShapes, ...shapes].map(shape => [key(0), shape]),
    ...options.map(each => [key(0), [2, 3], each]),
  );

export const initializers: BadInputs = {
  kaimingUniform: bad(kaimingUniform, noMatrices, [...wrongGain, { fan: 'in' }]),
  kaimingNormal: bad(kaimingNormal, noMatrices, [...wrongGain, { fan: 1 }]),
  xavierUniform: bad(xavierUniform, noMatrices, wrongGain),
  xavierNormal: bad(xavierNormal, noMatrices, wrongGain),
  lecunUniform: bad(lecunUniform, noMatrices, []),
  lecunNormal: bad(lecunNormal, noMatrices, []),
  orthogonal: bad(orthogonal, noMatrices, wrongGain),
  truncNormal: bad(
    truncNormal,
    [],
    [{ std: 0 }, { std: '1' }, { mean: null }, { low: 3 }, { high: Number.NaN }, { sd: 1 }],
  ),
};
