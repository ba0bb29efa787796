export function readyToRun(): Promise<void>;
export function nodeProblem(version: string, wanted: string): string | undefined;
export function whyInstall(root: string): string | undefined;
export function left(fetched: number, total: number, seconds: number): string;
