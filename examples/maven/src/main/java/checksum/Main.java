package checksum;

import org.apache.commons.codec.digest.DigestUtils;

/** Prints the SHA-256 of its arguments. */
public class Main {
    public static void main(String[] args) {
        for (String word : args) {
            System.out.println(DigestUtils.sha256Hex(word) + "  " + word);
        }
    }
}
