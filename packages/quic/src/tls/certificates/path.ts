import type { X509Certificate } from 'node:crypto';

/** The longest path from a leaf to a trusted certificate, both included. */
const MAX_PATH_LENGTH = 10;

/** How many signatures to verify for one peer: it chooses the certificates, so it must not choose the work. */
const MAX_SIGNATURES = 100;

/** How many paths to look at. */
const MAX_PATHS = 8;

/**
 * The paths from `leaf` over the peer's other certificates to a trusted one, every signature on them verified; shortest
 * branches first, none with the same certificate twice. A leaf that is itself trusted is a path of one.
 */
export function buildPaths(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): X509Certificate[][] {
  const search = new PathSearch(others, trusted);
  search.extend([leaf]);
  return search.paths;
}

class PathSearch {
  readonly paths: X509Certificate[][] = [];
  readonly #others: readonly X509Certificate[];
  readonly #trusted: readonly X509Certificate[];
  /** How many more signatures may be verified. */
  #budget = MAX_SIGNATURES;

  constructor(others: readonly X509Certificate[], trusted: readonly X509Certificate[]) {
    this.#others = others;
    this.#trusted = trusted;
  }

  /** Adds every way to go on from the last certificate of `path`. */
  extend(path: readonly X509Certificate[]): void {
    const last = path.at(-1)!;
    if (this.#trusted.some((root) => same(root, last))) {
      this.paths.push([...path]);
      return;
    }
    if (path.length === MAX_PATH_LENGTH) return;
    for (const issuer of [...this.#trusted, ...this.#others]) {
      if (this.paths.length === MAX_PATHS) return;
      if (!isSameName(issuer.subject, last.issuer) || path.some((earlier) => same(earlier, issuer))) continue;
      if (this.#issued(last, issuer)) this.extend([...path, issuer]);
    }
  }

  #issued(certificate: X509Certificate, issuer: X509Certificate): boolean {
    if (this.#budget === 0) return false;
    this.#budget--;
    try {
      return certificate.verify(issuer.publicKey);
    } catch {
      // The issuer's key is of a type that OpenSSL does not know.
      return false;
    }
  }
}

/**
 * Names are the same whatever their case and their spaces (RFC 5280 §7.1). As text they are, whatever the types of their strings; an
 * empty one has no text.
 */
function isSameName(a: string | undefined, b: string | undefined): boolean {
  return a === b || canonical(a) === canonical(b);
}

function canonical(name: string | undefined): string {
  return (name ?? '').toLowerCase().replace(/ +/g, ' ');
}

function same(a: X509Certificate, b: X509Certificate): boolean {
  return a === b || a.raw.equals(b.raw);
}
