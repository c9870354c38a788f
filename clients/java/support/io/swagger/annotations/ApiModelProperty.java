package io.swagger.annotations;

/** What generated models name. The package that has it is not in Debian; nothing reads it at run time. */
public @interface ApiModelProperty {
  String value() default "";

  String example() default "";

  boolean required() default false;

  boolean readOnly() default false;
}
