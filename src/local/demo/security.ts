import { showAccess } from './access.ts';
import { showMutualTls } from './mutual-tls.ts';
import type { Scene } from './scene.ts';
import { showStrict } from './strict.ts';

/** Who is who, who may speak at all, and who may ask for what. */
export const SECURITY_SCENES: readonly Scene[] = [
  {
    title: 'mutual TLS',
    why: 'Nobody asked for it: Envoys that can prove who they are speak mutual TLS to each other, and tell the app who called.',
    play: showMutualTls,
  },
  {
    title: 'STRICT',
    why: 'Plain text was welcome, too, so that pods without Envoy could go on. No longer.',
    play: showStrict,
  },
  {
    title: 'who may do what',
    why: 'Ratings is for reviews, and never for sleep, whatever else is allowed.',
    play: showAccess,
  },
];
