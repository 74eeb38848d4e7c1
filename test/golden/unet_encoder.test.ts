/** The encoder half of U-Nets as a classifier, as guided-diffusion has it. */
import { networkTests } from './unet.js';

networkTests('unet_encoder');
