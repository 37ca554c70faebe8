export interface Claim {
  readonly role: string;
  readonly pid: number;
}

export function liveClaims(directory: string): Claim[];
export function addClaim(directory: string, role: string, pid: number): () => void;
export function describeClaims(claims: readonly Claim[]): string;
export function acquireDirectory(
  directory: string,
  role: string,
  options: { waitMs: number; onWait?: (holders: readonly Claim[]) => void; signal?: AbortSignal },
): Promise<() => void>;
