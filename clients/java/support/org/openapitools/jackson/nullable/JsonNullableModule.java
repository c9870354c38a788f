package org.openapitools.jackson.nullable;

import com.fasterxml.jackson.databind.module.SimpleModule;

/** Stands in for jackson-databind-nullable, which Debian does not package. Generated models use none of its types. */
public class JsonNullableModule extends SimpleModule {
  private static final long serialVersionUID = 1L;
}
