import { schedulerTests } from './schedulers.js';
import { sigmaFunctions, sigmaSchedulers } from './tables/schedulers-sigma.js';

schedulerTests('schedulers_sigma', sigmaSchedulers, sigmaFunctions);
