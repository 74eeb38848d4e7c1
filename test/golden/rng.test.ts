import { randomTests } from './rng.js';

randomTests();
