export async function answer(input: string): Promise<string> {
  return input;
}
