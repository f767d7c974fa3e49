import { Image } from '@mantine/core';

export function Logo() {
  return <Image src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" w={28} h={28} />;
}
