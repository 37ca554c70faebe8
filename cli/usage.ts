/** The command line is not as expected. */
export class UsageError extends Error {}

export const USAGE = `Usage: everleaf agent --login-file <file> --dir <folder> [options]

Keeps the credentials of one identity alive: logs in with the token of a login file, renews the
certificate, rotates the token, and keeps login file and access file up to date.

  --login-file <file>    the login file (YAML) that an operator gave you; rewritten when the token is rotated
  --dir <folder>         where key, certificate and schedule are kept (state.json); one folder for each identity
  --server <url>         Everleaf's public base URL; default: https://<cloudfqdn>:<cloudport> of the login file
  --access-file <file>   where the client finds certificate and key (JSON); default: <folder>/cloudconfig
  --once                 do what is due now, say when to come back, and end (the default)
  --loop                 go on until SIGTERM or SIGINT
  --key-type <type>      rsa-2048 (the default) or ec-p256
  --proof <kind>         how a renewal proves the old key: jws (the default), or csr as the cloud agent's clients do
  --dns <name>           a DNS name to ask for in the certificate; may be repeated
  --json                 one JSON object in each line of output

Exit codes: 0 all is done that was due; 1 something failed and is tried again at the next run; 2 the command line,
the folder or the disk is not as expected; 3 an operator has to give a new login file.`;
