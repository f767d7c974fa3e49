import { createFileRoute } from '@tanstack/react-router';
import { EventsTab } from '../store/events/EventsTab';
import { parseEventsSearch } from '../store/search';

export const Route = createFileRoute('/stores/$id/events')({
  validateSearch: parseEventsSearch,
  component: EventsTab,
});
