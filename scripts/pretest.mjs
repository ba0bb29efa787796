// Runs before `npm test`, in plain Node: nothing may be installed yet.
import { readyToRun } from './install.mjs';

await readyToRun();
