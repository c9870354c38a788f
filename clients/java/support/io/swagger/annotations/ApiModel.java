package io.swagger.annotations;

/** What generated models name. The package that has it is not in Debian; nothing reads it at run time. */
public @interface ApiModel {
  String value() default "";

  String description() default "";
}
