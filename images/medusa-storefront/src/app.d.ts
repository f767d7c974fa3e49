// SvelteKit's own types are enough: this file only marks where an app would extend them.
export {};
