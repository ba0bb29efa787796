import { createHash } from 'node:crypto';

export type Sample = {
  readonly set: string;
  readonly isAnswerable: boolean;
  readonly evidence: readonly number[];
  readonly weight: number;
};

export type Logistic = {
  readonly means: readonly number[];
  readonly deviations: readonly number[];
  readonly bias: number;
  readonly weights: readonly number[];
};

const RIDGE = 1;
const STEPS = 2_000;
const RATE = 2;

/** Logistic regression on standardised evidence, by gradient descent: a handful of weights needs nothing more. */
export function fitLogistic(samples: readonly Sample[]): Logistic {
  const width = samples[0]?.evidence.length ?? 0;
  const columns = Array.from({ length: width }, (_, i) => samples.map(({ evidence }) => evidence[i] ?? 0));
  const means = columns.map(average);
  const deviations = columns.map((column, i) =>
    Math.max(Math.sqrt(average(column.map((value) => (value - (means[i] ?? 0)) ** 2))), 1e-6),
  );
  let model: Logistic = { means, deviations, bias: 0, weights: means.map(() => 0) };
  for (let step = 0; step < STEPS; step += 1) model = descend(model, samples);
  return model;
}

export function predict(model: Logistic, evidence: readonly number[]): number {
  const logit = standardised(model, evidence).reduce(
    (at, value, i) => at + value * (model.weights[i] ?? 0),
    model.bias,
  );
  return 1 / (1 + Math.exp(-logit));
}

/**
 * Parts the samples into folds, each with its share of every set's answerable and unanswerable ones, and each tested by
 * the rest. `round` parts them in another way.
 */
export function foldsOf(samples: readonly Sample[], folds: number, round: number) {
  const seen = new Map<string, number>();
  const foldOf = new Map<Sample, number>();
  for (const sample of shuffled(samples, round)) {
    const kind = `${sample.set} ${sample.isAnswerable}`;
    const place = seen.get(kind) ?? 0;
    seen.set(kind, place + 1);
    foldOf.set(sample, place % folds);
  }
  return Array.from({ length: folds }, (_, fold) => ({
    train: samples.filter((sample) => foldOf.get(sample) !== fold),
    test: samples.filter((sample) => foldOf.get(sample) === fold),
  }));
}

/** The same order for the same round. */
function shuffled(samples: readonly Sample[], round: number): readonly Sample[] {
  const lot = (place: number) => createHash('sha256').update(`${round} ${place}`).digest('hex');
  return samples
    .map((sample, place) => ({ sample, drawn: lot(place) }))
    .sort((a, b) => (a.drawn < b.drawn ? -1 : 1))
    .map(({ sample }) => sample);
}

function descend(model: Logistic, samples: readonly Sample[]): Logistic {
  const gradient = model.weights.map((weight) => RIDGE * weight);
  let biasGradient = 0;
  for (const { evidence, isAnswerable, weight } of samples) {
    const error = weight * (predict(model, evidence) - (isAnswerable ? 1 : 0));
    biasGradient += error;
    standardised(model, evidence).forEach((value, i) => {
      gradient[i] = (gradient[i] ?? 0) + error * value;
    });
  }
  const rate = RATE / samples.length;
  return {
    ...model,
    bias: model.bias - rate * biasGradient,
    weights: model.weights.map((weight, i) => weight - rate * (gradient[i] ?? 0)),
  };
}

function standardised({ means, deviations }: Logistic, evidence: readonly number[]): readonly number[] {
  return evidence.map((value, i) => (value - (means[i] ?? 0)) / (deviations[i] ?? 1));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
