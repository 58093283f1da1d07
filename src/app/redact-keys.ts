const REDACTED = '[redacted]';

/** As text, and as text within JSON, however often that was quoted. */
const pem = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|(?=")|$)/gs;
/** The members of a JSON Web Key that are secret (RFC 7518, 6.2.2, 6.3.2 and 6.4.1), as text within JSON. */
const jwk = /(\\+"(?:d|p|q|dp|dq|qi|k)\\+"\s*:\s*\\+")[\w+/=-]{16,}/g;

/**
 * A page without keys that people wrote where none belong, such as into a list of public keys. What is a Secret is not on any page to begin
 * with; this is for what looks like one.
 */
export function redactKeys(text: string): string {
  return text.replace(pem, REDACTED).replace(jwk, `$1${REDACTED}`);
}
