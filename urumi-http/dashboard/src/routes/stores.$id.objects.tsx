import { createFileRoute } from '@tanstack/react-router';
import { ObjectsTab } from '../store/objects/ObjectsTab';
import { parseObjectsSearch } from '../store/search';

export const Route = createFileRoute('/stores/$id/objects')({
  validateSearch: parseObjectsSearch,
  component: ObjectsTab,
});
