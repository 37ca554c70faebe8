import { isEverleafError } from '../../shared/domain/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { type IdentityId, identityText } from '../../shared/domain/names.ts';
import { acknowledgeBundle } from '../../shared/use-cases/acknowledge-bundle.ts';
import { readTrustBundle, type TrustBundle } from '../../shared/use-cases/authorities.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { ensureSuccessor } from '../../shared/use-cases/ensure-successor.ts';
import { type ProvenCaller, runAs } from '../../shared/use-cases/proven-caller.ts';
import { verifyProof } from '../../shared/use-cases/verify-proof.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { logIn, requestOf } from './agent.ts';
import type { World } from './memory-world.ts';
import { makeProof } from './proofs.ts';
import { type Held, holding, renew, renewAsMoc } from './proving-agent.ts';
import { mulberry32 } from './seeded-random.ts';
import { assertTrusted } from './trust.ts';

/** The network has lost the server's answer. What was asked for has happened all the same. */
export class AnswerLost extends Error {}

export interface Habits {
  /** How it proves its key at a renewal: with a signature beside the request, or inside it as the cloud agent's clients. */
  readonly proof: 'jws' | 'csr';
  /** Days from one word about its bundle to the next, when nothing else happens: the reference agent has one a day. */
  readonly checkInDays: number;
  /** When it renews: soon after the moment that it was told, or in the last hour of its certificate. */
  readonly renews: 'when-told' | 'at-the-last-moment';
  /**
   * Which bundles it installs: whatever it is given and finds, as the reference agent; only when the server says that its
   * own is not the present one; or only that of a login, as the cloud agent's own clients.
   */
  readonly installs: 'all' | 'when-told' | 'at-logins';
}

/** Where a token is rotated, as a part of its life, when the server's answer does not say: as the reference agent does. */
const ROTATION_POINT = 0.45;

/** The last moment to renew is this long before the end, because clocks differ. */
const LAST_MS = 10 * MINUTE_MS;

let agents = 0;

/**
 * An agent as it should be, on the virtual clock: it keeps its key, its certificate and the token of its login file,
 * renews with a new key when it is told to, rotates its token when that is due, says which bundle it holds, and logs
 * in again when nothing else helps. Whatever certificate it is given it verifies. A request that was not answered is
 * made again with the same key. What it trusts it takes from the server, as often as its habits say.
 */
export class HonestAgent {
  readonly id: IdentityId;
  #world: World;
  #habits: Habits;
  readonly #random: () => number;
  readonly #ownKeys: string;
  #keys = 0;
  /** The key that a request is out for. */
  #pending: string | null = null;
  /** The key of the certificate that it holds. */
  #key = '';
  #token: string;
  #held: Held | null = null;
  #bundle: TrustBundle | null = null;
  #tokenEnd = new Date(Number.NaN);
  #renewAt = new Date(0);
  #rotateAt = new Date(0);
  #checkInAt = new Date(0);
  /** So many of the next answers are lost. */
  lostAnswers = 0;

  constructor(world: World, id: IdentityId, token: string, habits: Partial<Habits> = {}) {
    this.id = id;
    this.#world = world;
    this.#token = token;
    this.#habits = { proof: 'jws', checkInDays: 1, renews: 'when-told', installs: 'all', ...habits };
    agents += 1;
    this.#random = mulberry32(agents);
    this.#ownKeys = `${identityText(id)} of agent ${agents}`;
  }

  /** What it has on its disk. @throws Error before its first login */
  get held(): Held {
    if (this.#held === null) throw new Error(`${identityText(this.id)} has not logged in yet.`);
    return this.#held;
  }

  /** What it trusts. @throws Error before its first login */
  get bundle(): TrustBundle {
    if (this.#bundle === null) throw new Error(`${identityText(this.id)} has not logged in yet.`);
    return this.#bundle;
  }

  /** The token of its login file. */
  get token(): string {
    return this.#token;
  }

  /** Since the last answer that told of it. */
  get tokenEnd(): Date {
    return this.#tokenEnd;
  }

  /** When it has something to do next. */
  get nextAt(): Date {
    const moments = [this.#renewAt, this.#rotateAt, this.#checkInAt].map((at) => at.getTime());
    return this.#held === null ? new Date(0) : new Date(Math.min(...moments));
  }

  /** From now on it reaches the server this way. */
  connect(deps: Deps): void {
    this.#world = { ...this.#world, deps };
  }

  /** Somebody configures it anew. */
  change(habits: Partial<Habits>): void {
    this.#habits = { ...this.#habits, ...habits };
  }

  /** A copy of its whole disk, which makes keys of its own from now on. */
  clone(): HonestAgent {
    const copy = new HonestAgent(this.#world, this.id, this.#token, this.#habits);
    copy.#held = this.#held;
    copy.#bundle = this.#bundle;
    copy.#key = this.#key;
    copy.#tokenEnd = this.#tokenEnd;
    copy.#renewAt = this.#renewAt;
    copy.#rotateAt = this.#rotateAt;
    copy.#checkInAt = this.#checkInAt;
    return copy;
  }

  /** Somebody puts another login file there: the agent logs in with it, and goes on with the key that it has. */
  async takeLoginFile(token: string): Promise<void> {
    this.#token = token;
    await this.logIn();
  }

  /** Does whatever is due by now. */
  async wake(): Promise<void> {
    const isDue = (at: Date) => at <= this.#world.clock.now();
    if (this.#held === null) await this.logIn();
    else if (isDue(this.#renewAt)) await this.renewOrLogIn();
    if (isDue(this.#rotateAt)) await this.rotateToken();
    if (isDue(this.#checkInAt)) await this.checkIn();
  }

  async logIn(): Promise<void> {
    // With the key that it has, so that the server goes on with the same line.
    this.#pending ??= this.#held === null ? this.#newKey() : this.#key;
    const answer = await this.#receive(logIn(this.#world, this.#token, requestOf(this.id, this.#pending)));
    this.#accept(holding(this.id, answer, keyPair('P-256', this.#pending)), { isLogin: true });
  }

  /** @throws EverleafError what the server refuses it with */
  async renew(): Promise<void> {
    this.#pending ??= this.#newKey();
    const { proof } = this.#habits;
    const asked =
      proof === 'csr'
        ? renewAsMoc(this.#world, this.held, this.#pending)
        : renew(this.#world, this.held, this.#pending, this.#world.deps, this.bundle.id);
    this.#accept(await this.#receive(asked), { isLogin: false });
  }

  /**
   * With proof of its key as long as the server takes that, with its token afterwards. A line that is locked or revoked is
   * not to be gone on with: then the token begins another, with a key of its own.
   */
  async renewOrLogIn(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (!isEverleafError(error, 'Expired', 'Locked', 'Revoked')) throw error;
      this.#pending = error.code === 'Expired' ? this.#key : this.#newKey();
      await this.logIn();
    }
  }

  async rotateToken(): Promise<void> {
    const { deps, run } = this.#world;
    const { identity } = await this.#prove('/api/token/rotate', '{}');
    const { text, token } = await this.#receive(ensureSuccessor(deps, runAs(run, identity), identity));
    const now = this.#world.clock.now().getTime();
    this.#token = text.reveal();
    this.#tokenEnd = token.expiresAt;
    this.#rotateAt = new Date(now + (token.expiresAt.getTime() - now) * ROTATION_POINT);
  }

  /** Says which bundle it holds, and learns whether it is to renew before its time. */
  async checkIn(): Promise<void> {
    const { deps, run, clock } = this.#world;
    const { installs } = this.#habits;
    if (installs === 'all') this.#bundle = await readTrustBundle(deps);
    const bundleId = this.bundle.id;
    const { record } = await this.#prove('/api/bundle/acknowledge', JSON.stringify({ bundleId }));
    const answer = await this.#receive(acknowledgeBundle(deps, run, record, bundleId));
    const daysAhead = this.#habits.checkInDays * (0.75 + 0.5 * this.#random());
    this.#checkInAt = new Date(clock.now().getTime() + daysAhead * DAY_MS);
    if (!answer.current && installs === 'when-told') {
      this.#bundle = await readTrustBundle(deps);
      await this.checkIn();
    }
    if (answer.renewAfter !== undefined) this.#renewAt = new Date(answer.renewAfter);
  }

  #prove(path: string, body: string): Promise<ProvenCaller> {
    const { deps, run, clock } = this.#world;
    const proof = makeProof({ ...this.held, path, body, now: clock.now() });
    const sent = { proof, method: 'POST', path, body: new TextEncoder().encode(body) };
    return verifyProof(deps, run, sent);
  }

  #accept(held: Held, { isLogin }: { isLogin: boolean }): void {
    const now = this.#world.clock.now();
    const { answer } = held;
    const { installs, renews } = this.#habits;
    assertTrusted(answer.certificate, answer.caBundle, now);
    this.#held = held;
    if (isLogin || installs === 'all') this.#bundle = { id: answer.bundleId, pem: answer.caBundle };
    this.#key = this.#pending ?? this.#key;
    this.#pending = null;
    // Apart from what has the same renewAfter, such as everything that an operator asked for at one go.
    const life = Date.parse(answer.notAfter) - now.getTime();
    const jitter = this.#random() * Math.min(HOUR_MS, life / 100);
    const moment = renews === 'when-told' ? answer.renewAfter : answer.notAfter;
    this.#renewAt = new Date(Date.parse(moment) + (renews === 'when-told' ? jitter : -LAST_MS - jitter));
    this.#tokenEnd = new Date(answer.token.expiresAt);
    this.#rotateAt = answer.token.rotationDue ? now : new Date(answer.token.rotateAfter);
    this.#checkInAt = now;
  }

  async #receive<T>(asked: Promise<T>): Promise<T> {
    const answer = await asked;
    if (this.lostAnswers === 0) return answer;
    this.lostAnswers -= 1;
    throw new AnswerLost();
  }

  #newKey(): string {
    this.#keys += 1;
    return `${this.#ownKeys}, key ${this.#keys}`;
  }
}
