/** The business clock: real time plus a fixed offset (`APP_NOW`), so that worked examples come out exactly. */
export interface Clock {
  now(): Date;
}
