import { schedulerTests } from './schedulers.js';
import { multistepFunctions, multistepSchedulers } from './tables/schedulers-multistep.js';

schedulerTests('schedulers_multistep', multistepSchedulers, multistepFunctions);
