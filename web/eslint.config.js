import vue from "eslint-plugin-vue";
import accessibility from "eslint-plugin-vuejs-accessibility";
import typescript from "typescript-eslint";
import parser from "vue-eslint-parser";

export default typescript.config(
  { ignores: ["src/api/schema.d.ts", "node_modules"] },
  ...typescript.configs.strict,
  ...vue.configs["flat/recommended"],
  ...accessibility.configs["flat/recommended"],
  {
    files: ["**/*.ts", "**/*.vue"],
    languageOptions: { parser, parserOptions: { parser: typescript.parser, sourceType: "module" } },
    rules: {
      // The compiler knows the browser's names.
      "no-undef": "off",
      "vue/no-v-html": "error",
      // A style attribute would need unsafe-inline in the content security policy.
      "vue/no-static-inline-styles": ["error", { allowBinding: false }],
      // Layout is the formatter's business.
      "vue/max-attributes-per-line": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/multi-word-component-names": "off",
      // A label names its control by nesting or by id; either is enough.
      "vuejs-accessibility/label-has-for": ["error", { required: { some: ["nesting", "id"] } }],
    },
  },
);
