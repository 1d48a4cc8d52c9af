/** Problems and errors as a person reads them: by their code, in their language, never a machine's words. */
import {Refused, Unreachable} from '../client/failure.js';
import type {Problem} from '../client/platform.js';
import type {Texts} from './index.js';

export interface Explained {
  readonly message: string;
  readonly remedy: string;
}

/** The sidecar speaks English and often knows more than a catalogue; other languages have their text by code. */
export function explainProblem(problem: Pick<Problem, 'code' | 'message' | 'remedy'>, texts: Texts): Explained {
  const message = texts.find(`problem.${problem.code}`);
  const remedy = texts.find(`problem.${problem.code}.remedy`);
  if (message === null || (isEnglish(texts) && problem.message !== '')) return problem;
  return {message, remedy: remedy ?? problem.remedy};
}

/** The sidecar's English sentence, or in another language the catalogue's for that case. */
export function explainCoded(name: string, english: string, texts: Texts): string {
  return isEnglish(texts) && english !== '' ? english : (texts.find(name) ?? english);
}

/** One sentence about a call that failed. `fieldName` says how a person calls a field. */
export function explainError(
  error: unknown,
  texts: Texts,
  fieldName: (field: string) => string | null = () => null,
): string {
  if (error instanceof Unreachable) return texts.t('error.unreachable');
  if (!(error instanceof Refused)) return texts.t('error.internal');
  if (error.field !== null) return brokenRule(error, error.field, texts, fieldName(error.field));
  const catalogued = texts.find(`error.${error.code}`) ?? texts.find(`problem.${error.code}`);
  const isForPeople = error.message !== '' && !isMachineTalk(error);
  if (isForPeople && (isEnglish(texts) || catalogued === null)) return error.message;
  return catalogued ?? texts.t('error.internal');
}

/** Why a connection does not work, and what helps. The sidecar's own sentence has both in one, without its preamble. */
export function explainConnection(
  error: unknown,
  texts: Texts,
  fieldName: (field: string) => string | null,
): Explained {
  if (!(error instanceof Refused) || error.field !== null || texts.find(`problem.${error.code}`) === null)
    return {message: explainError(error, texts, fieldName), remedy: ''};
  const message = error.message.replace(/^Connection failed: /, '');
  return explainProblem({code: error.code, message, remedy: ''}, texts);
}

/** Only sentences that say something about what a person did are shown as they are. */
function isMachineTalk({code, status}: Refused): boolean {
  return status === 404 || status >= 500 || ['precondition-failed', 'bad-request', 'unauthorized'].includes(code);
}

function brokenRule(error: Refused, field: string, texts: Texts, name: string | null): string {
  if (field.startsWith('path.')) return texts.t('error.not-found');
  if (name === null) return texts.t('error.validation');
  return texts.t(ruleOf(error.message.slice(field.length + 2)), {field: name});
}

function ruleOf(
  rule: string,
): 'rule.required' | 'rule.short' | 'rule.long' | 'rule.email' | 'rule.number' | 'rule.other' {
  if (/required|blank|cannot be null/i.test(rule)) return 'rule.required';
  if (/email/i.test(rule)) return 'rule.email';
  if (/at least .*character/i.test(rule)) return 'rule.short';
  if (/at most .*character/i.test(rule)) return 'rule.long';
  if (/integer|number|less than|greater than/i.test(rule)) return 'rule.number';
  return 'rule.other';
}

function isEnglish({locale, t}: Texts): boolean {
  return locale.startsWith('en') && !t('app.name').startsWith('⟦');
}
