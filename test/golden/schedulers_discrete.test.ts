/** Samplers on timesteps and flows against recorded runs of diffusers. */
import { schedulerTests } from './schedulers.js';
import { discreteFunctions, discreteSchedulers } from './tables/schedulers-discrete.js';

schedulerTests('schedulers_discrete', discreteSchedulers, discreteFunctions);
