/** An error answer, as a test expects it. */
export function refusal(status: number, message: string) {
  return { status, body: { error: { status, message } } };
}
