import ts from "typescript-eslint";

export default ts.config(ts.configs.strictTypeChecked, {
  languageOptions: { parserOptions: { projectService: true } },
  rules: {
    "@typescript-eslint/no-confusing-void-expression": "off", // an arrow that does one thing may do just that
    "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
  },
});
