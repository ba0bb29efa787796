// Runs before `npm start`, in plain Node: nothing may be installed yet.
import { readyToRun } from './install.mjs';

await readyToRun();
