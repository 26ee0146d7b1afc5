import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Iterator;
import java.util.Map;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.CoreModelModule;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.QuestionDef;
import org.javarosa.core.model.ValidateOutcome;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.data.UncastData;
import org.javarosa.core.model.instance.TreeElement;
import org.javarosa.core.reference.PrefixedRootFactory;
import org.javarosa.core.reference.Reference;
import org.javarosa.core.reference.ReferenceManager;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.services.transport.payload.ByteArrayPayload;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.test.Scenario;

/**
 * Fills a form with ODK's own engine, once for each line of standard input.
 *
 * <p>A line is a JSON object: `start` is the time at which the form was begun, `answers` has the text of each question
 * by its path, in the order in which an officer gives them. A line of standard output is the JSON object with the
 * `results` (OK, REQUIRED_BUT_EMPTY or CONSTRAINT_VIOLATED) by path, the path of the `invalid` question for
 * which the engine would not finalize the form, and the `xml` of the instance. An answer that breaks a constraint is not kept.
 */
public class FillForms {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8");
        System.setOut(System.err);
        File form = new File(arguments[0]);
        new XFormsModule().registerModule();
        PrototypeManager.registerPrototypes(CoreModelModule.classNames);
        ReferenceManager.instance().addReferenceFactory(new Folder(form.getParentFile()));
        Scenario scenario = Scenario.init(form);
        ObjectMapper json = new ObjectMapper();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            out.println(json.writeValueAsString(fill(scenario, json.readTree(line), json)));
        }
    }

    private static ObjectNode fill(Scenario scenario, JsonNode request, ObjectMapper json) throws IOException {
        scenario.newInstance();
        ObjectNode reply = json.createObjectNode();
        ObjectNode results = reply.putObject("results");
        FormDef form = scenario.getFormDef();
        if (request.has("start")) {
            TreeElement start = form.getMainInstance().resolveReference(Scenario.getRef("/data/start"));
            IAnswerData value = start.getValue().cast(new UncastData(request.get("start").asText()));
            form.setValue(value, start.getRef(), true);
        }
        for (Iterator<Map.Entry<String, JsonNode>> each = request.get("answers").fields(); each.hasNext(); ) {
            Map.Entry<String, JsonNode> answer = each.next();
            results.put(answer.getKey(), answer(scenario, answer.getKey(), answer.getValue().asText()).name());
        }
        ValidateOutcome outcome = scenario.getValidationOutcome();
        reply.put("invalid", outcome == null ? null : outcome.failedPrompt.getReference().toString(false));
        scenario.finalizeInstance();
        ByteArrayPayload payload =
                (ByteArrayPayload) new XFormSerializingVisitor().createSerializedPayload(form.getMainInstance());
        reply.put("xml", new String(payload.getPayloadStream().readAllBytes(), "UTF-8"));
        return reply;
    }

    private static Scenario.AnswerResult answer(Scenario scenario, String path, String text) {
        QuestionDef question = FormDef.findQuestionByRef(Scenario.getRef(path), scenario.getFormDef());
        boolean isSelect = question.getControlType() == Constants.CONTROL_SELECT_MULTI;
        return isSelect ? scenario.answer(path, text.split(" ")) : scenario.answer(path, text);
    }

    /** Resolves the files of a form to those beside it. */
    private static class Folder extends PrefixedRootFactory {
        private final File folder;

        Folder(File folder) {
            super(new String[] {"file-csv", "file"});
            this.folder = folder;
        }

        @Override
        protected Reference factory(String path, String uri) {
            File file = new File(folder, path);
            return new Reference() {
                public boolean doesBinaryExist() {
                    return file.exists();
                }

                public InputStream getStream() throws IOException {
                    return new FileInputStream(file);
                }

                public String getURI() {
                    return uri;
                }

                public boolean isReadOnly() {
                    return true;
                }

                public OutputStream getOutputStream() throws IOException {
                    throw new IOException("read-only");
                }

                public void remove() throws IOException {
                    throw new IOException("read-only");
                }

                public String getLocalURI() {
                    return file.getAbsolutePath();
                }

                public Reference[] probeAlternativeReferences() {
                    return new Reference[0];
                }
            };
        }
    }
}
