import {
  type AdmissionReply,
  type AdmissionRequest,
  decodeReview,
  encodeReview,
  encodeUnreadable,
} from './admission-review.ts';
import { type HttpReply, textReply } from './http-server.ts';
import type { HttpsRoute } from './https-server.ts';

/** Answers one request of the API server, and changes nothing in the world: it may be a dry run, and it may be asked twice. */
export type AnswerAdmission = (request: AdmissionRequest) => AdmissionReply | Promise<AdmissionReply>;

/** The route of an admission webhook: AdmissionReview in, AdmissionReview out. */
export function admissionRoute(answer: AnswerAdmission): HttpsRoute {
  return {
    method: 'POST',
    answer: async ({ body, contentType }) => {
      if (body.length === 0) return textReply(400, 'no body found');
      if (!isJson(contentType)) {
        return textReply(415, `content type ${JSON.stringify(contentType)} is not read: use application/json`);
      }
      const review = decodeReview(body);
      if (!review.ok) return reviewReply(400, encodeUnreadable(`could not decode body: ${review.error}`));
      return reviewReply(200, encodeReview(review.value, await answer(review.value.request)));
    },
  };
}

function reviewReply(status: number, body: string): HttpReply {
  return { status, contentType: 'application/json', body };
}

function isJson(contentType: string): boolean {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}
