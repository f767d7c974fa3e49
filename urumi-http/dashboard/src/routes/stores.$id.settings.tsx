import { createFileRoute } from '@tanstack/react-router';
import { SettingsTab } from '../store/settings/SettingsTab';

export const Route = createFileRoute('/stores/$id/settings')({ component: SettingsTab });
