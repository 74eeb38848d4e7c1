/** What a plan does on a device, in words and numbers. */
import type { Instruction } from '../../compile/program.js';
import type { FoldParams } from '../../primitives/signatures.js';
import { bytesIn, showAval } from '../../shape.js';
import type { Report, StepReport } from '../backend.js';
import type { Launcher } from './launch/launcher.js';
import { madeBy, type Pass } from './pass.js';
import { type CpuStep, isList, type Plan, type Step } from './plan.js';

const bytesOfPass = (pass: Pass): number =>
  4 * [...pass.reads, ...madeBy(pass)].reduce((sum, floats) => sum + floats, 0);

const nameOf = ({ op, params }: Instruction): string => (op === 'external' ? String(params.name) : op);

/** The primitives in a part for the CPU. */
const namesOf = ({ program }: CpuStep): string =>
  [...new Set(program.instructions.map(nameOf).filter(op => op !== 'output'))].join(' ');

const stepReport = (plan: Plan, step: Step, times: number | null): StepReport => {
  const common = { times, ms: null };
  switch (step.kind) {
    case 'launch': {
      const { pass } = step;
      const grid = pass.kind === 'kernel' ? pass.grid : pass.workgroups;
      const shape = `${pass.kind === 'kernel' ? 'threads' : 'workgroups'} ${grid.join(' × ')}`;
      return { ...common, name: pass.name, shape, flops: pass.flops, bytes: bytesOfPass(pass), steps: [] };
    }
    case 'cpu': {
      const avals = [...step.reads, ...step.makes.flatMap(made => (isList(made) ? [...made] : [made]))].map(
        value => plan.avals.get(value)!,
      );
      return {
        ...common,
        name: `[cpu] ${namesOf(step)}`,
        shape: `transfers ${avals.map(showAval).join(', ')}`,
        flops: 0,
        bytes: avals.reduce((sum, aval) => sum + bytesIn(aval), 0),
        steps: [],
      };
    }
    case 'region': {
      const { op, params } = step.instruction;
      const turns = op === 'fold' ? (params as unknown as FoldParams).length : op === 'call' ? 1 : null;
      const inside = turns === null || times === null ? null : times * turns;
      const steps = step.bodies.flatMap(body => body.steps.map(each => stepReport(body, each, inside)));
      return { ...common, name: op, shape: turns === null ? '' : `${turns} times`, flops: 0, bytes: 0, steps };
    }
    default:
      return { ...common, name: 'nothing', shape: '', flops: 0, bytes: 0, steps: [] };
  }
};

const codeOf = ({ steps }: Plan): number =>
  steps.reduce((sum, step) => {
    if (step.kind === 'launch') return sum + step.pass.source.length;
    return step.kind === 'region' ? sum + step.bodies.reduce((all, body) => all + codeOf(body), 0) : sum;
  }, 0);

/** What becomes of a program. A device tells no times to somebody who does not wait. */
export const report = (plan: Plan, { mode }: Launcher, planMs: number): Report => ({
  backend: `gpu (${mode})`,
  steps: plan.steps.map(step => stepReport(plan, step, 1)),
  memory: {
    arena: plan.peak,
    inputs: plan.inputs.reduce((sum, aval) => sum + bytesIn(aval), 0),
    outputs: plan.outputs
      .flatMap(made => (isList(made) ? [...made] : [made]))
      .reduce((sum, value) => sum + bytesIn(plan.avals.get(value)!), 0),
  },
  code: codeOf(plan),
  planMs,
  emitMs: 0,
});
