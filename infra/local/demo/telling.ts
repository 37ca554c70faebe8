/** How the demo puts things on the terminal. */

/** What the demo shows of `GET /api/status`. */
export interface FleetStatus {
  readonly overall: string;
  readonly identities: readonly {
    readonly name: string;
    readonly delivery: string;
    readonly state: string;
    readonly certificate: {
      readonly serialNumber: string;
      readonly notAfter: string;
      readonly renewCount: number;
    } | null;
    readonly token: { readonly id: string; readonly expiresAt: string } | null;
  }[];
}

export function chapter(title: string): void {
  console.log(`\n=== ${title} ${'='.repeat(Math.max(3, 90 - title.length))}\n`);
}

export function tell(text: string): void {
  console.log(`${text}\n`);
}

/** The fleet, a line for each identity. */
export function fleetTable(status: FleetStatus): string {
  const rows = status.identities.map(({ name, delivery, state, certificate, token }) => [
    name,
    delivery,
    state,
    certificate === null ? '-' : `${certificate.serialNumber.slice(0, 8)}...`,
    certificate === null ? '-' : certificate.notAfter.slice(0, 10),
    certificate === null ? '-' : String(certificate.renewCount),
    token === null ? '-' : token.expiresAt.slice(0, 10),
  ]);
  const titles = ['client', 'delivery', 'state', 'certificate', 'ends', 'renewals', 'token ends'];
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return `${[titles, ...rows].map(line).join('\n')}\n`;
}
