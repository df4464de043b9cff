/** What the API shows of permissions, from the changes of the authority log. @module */

import type { Projection } from '../authority/projection.ts';
import { insertAssignment, putPermission, revokeAssignment } from './store.ts';

export const permissionsProjection: Pick<Projection, 'permission' | 'assignment' | 'revocation'> = {
  permission: (tx, record, { organisationId, date }) =>
    putPermission(tx, { ...record, organisationId, dateCreated: date, dateUpdated: date }),
  assignment: (tx, record, { organisationId, date }) =>
    insertAssignment(tx, { ...record, organisationId, dateCreated: date, dateUpdated: date }),
  revocation: (tx, { id }, { date }) => revokeAssignment(tx, id, date),
};
