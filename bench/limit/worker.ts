/** A thread that runs kernels when it is told to: see {@link sideBySide}. */
import { parentPort, workerData } from 'node:worker_threads';
import { instantiateKernel, type LimitKernel } from './kernel.js';

const run = instantiateKernel(workerData as LimitKernel);

parentPort!.on('message', (times: number) => {
  for (let i = 0; i < times; i++) run();
  parentPort!.postMessage(null);
});
