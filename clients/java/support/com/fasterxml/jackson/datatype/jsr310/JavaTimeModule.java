package com.fasterxml.jackson.datatype.jsr310;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;
import java.time.OffsetDateTime;

/** Stands in for jackson-datatype-jsr310, which Debian does not package: the one type that generated models use. */
public class JavaTimeModule extends SimpleModule {
  private static final long serialVersionUID = 1L;

  public JavaTimeModule() {
    addSerializer(OffsetDateTime.class, new Writer());
    addDeserializer(OffsetDateTime.class, new Reader());
  }

  private static class Writer extends StdSerializer<OffsetDateTime> {
    private static final long serialVersionUID = 1L;

    Writer() {
      super(OffsetDateTime.class);
    }

    @Override
    public void serialize(OffsetDateTime value, JsonGenerator out, SerializerProvider provider) throws IOException {
      out.writeString(value.toString());
    }
  }

  private static class Reader extends StdDeserializer<OffsetDateTime> {
    private static final long serialVersionUID = 1L;

    Reader() {
      super(OffsetDateTime.class);
    }

    @Override
    public OffsetDateTime deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return OffsetDateTime.parse(in.getText());
    }
  }
}
