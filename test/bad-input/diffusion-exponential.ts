/** DPM-Solver, UniPC and DEIS: options that are none. */
import { tensor } from 'tenfold';
import { deis, dpmSolver, dpmSolverMultistep, dpmSolverSinglestep, uniPc } from 'tenfold/diffusion';
import { type BadInputs, refused } from './types.js';

const noOptions = [null, 1, 'x', [], tensor(1), { bogus: 1 }];
const noOrders = [null, 0, 4, 1.5, -1, Number.NaN, '2', [2], tensor(2)];
const noNames = [null, 1, 'x', 'toString', {}, ['midpoint']];
const noFlags = [null, 1, 'x', tensor(1)];

/** Calls with one option, in turn each of the bad values for it. */
const options = (f: unknown, bad: Readonly<Record<string, readonly unknown[]>>): BadInputs[string] =>
  refused(
    f,
    ...noOptions.map(each => [each]),
    ...Object.entries(bad).flatMap(([name, values]) => values.map(value => [{ [name]: value }])),
  );

const shared = { order: noOrders, algorithm: noNames, solverType: noNames, lowerOrderFinal: noFlags };

export const exponentialIntegrators: BadInputs = {
  dpmSolver: options(dpmSolver, { order: noOrders, algorithm: [...noNames, 'sde-dpmsolver++'] }),
  dpmSolverMultistep: options(dpmSolverMultistep, { ...shared, eulerAtFinal: noFlags }),
  dpmSolverSinglestep: options(dpmSolverSinglestep, shared),
  deis: options(deis, { order: noOrders, lowerOrderFinal: noFlags }),
  uniPc: options(uniPc, {
    order: [...noOrders.filter(order => order !== 4), 6],
    solverType: noNames,
    predictX0: noFlags,
    lowerOrderFinal: noFlags,
    disableCorrector: [null, 1, 'x', [0.5], [-1], ['0'], [null], tensor([0])],
  }),
};
